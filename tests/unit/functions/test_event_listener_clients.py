"""The clients that a cold start pays for."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from clients import Late, dynamodb_client, s3_client

FUNCTION = Path(__file__).parents[3] / "functions" / "event_listener"
ENVIRON = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "listener",
    "RESULTS_TABLE": "results",
    "OVERFLOW_BUCKET": "overflow",
    "RESULT_TTL_SECONDS": "3600",
    "SOURCES": "{}",
}


def test_a_late_client_is_made_once_at_its_first_call() -> None:
    made: list[Any] = []

    class Client:
        def __init__(self) -> None:
            made.append(self)

        def get_object(self, **arguments: Any) -> dict[str, Any]:
            return arguments

    late = Late(Client)
    assert made == []
    assert late.get_object(Key="a") == {"Key": "a"}
    assert late.get_object(Key="b") == {"Key": "b"}
    assert len(made) == 1


def test_the_clients_are_those_of_botocore_with_our_retries(monkeypatch: Any) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, ENVIRON[name])
    for client, attempts in ((dynamodb_client(), 3), (s3_client(), 4)):
        config = client.meta.config
        assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", attempts)


def test_a_cold_start_imports_neither_boto3_nor_what_few_events_need() -> None:
    code = "import sys, app; print(*sorted({'boto3', 's3transfer', 'aws_xray_sdk'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=FUNCTION, env=ENVIRON, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == ""
