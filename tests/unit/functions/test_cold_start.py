"""What a cold start of a function loads, and that its quickly made clients send what usual ones send."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import clients
import pytest
import storage

FUNCTIONS = Path(__file__).parents[3] / "functions"
ENVIRON = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "function",
    "RESULTS_TABLE": "results",
    "OVERFLOW_BUCKET": "overflow",
    "RESULT_TTL_SECONDS": "3600",
    "SOURCES": "{}",
    "DESTINATION_BUCKET": "destination",
}
HEAVY = ("boto3", "s3transfer", "aws_xray_sdk")
# Usual clients read all of botocore's data. It is the same in each region.
DATA = botocore.loaders.create_loader()
REGIONS = ("eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1", "xx-new-1")


@pytest.mark.parametrize("function", ["event_listener", "text_processor"])
def test_a_cold_start_imports_nothing_heavy_and_collects_garbage_only_of_what_comes_later(
    function: str,
) -> None:
    code = (
        f"import app, gc, sys; frozen = gc.get_freeze_count() > len(gc.get_objects());"
        f"print(gc.isenabled(), frozen, *set({HEAVY}) & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=FUNCTIONS / function,
        env=ENVIRON,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "True True"


def sent(client: Any, name: str, **arguments: Any) -> tuple[str, str, str]:
    """The URL of a call, the region and the service that it is signed for. Nothing is sent."""
    found = []

    def instead(request: Any, **_: Any) -> Any:
        scope = request.headers["Authorization"].decode().partition("Credential=")[2].split("/")
        found.append((request.url, scope[2], scope[3]))
        raise ConnectionAbortedError

    client.meta.events.register("before-send", instead)
    with pytest.raises(ConnectionAbortedError):
        getattr(client, name)(**arguments)
    return found[0]


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(
    ("make", "service", "operation", "arguments"),
    [
        (clients.dynamodb_client, "dynamodb", "get_item", {"TableName": "t", "Key": {"k": {"S": "v"}}}),
        (clients.s3_client, "s3", "get_object", {"Bucket": "bucket", "Key": "a b"}),
        (storage.s3_client, "s3", "get_object", {"Bucket": "with.dots", "Key": "a b"}),
    ],
)
def test_a_client_sends_and_signs_in_every_region_as_a_usual_one(
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], Any],
    service: str,
    operation: str,
    arguments: dict[str, Any],
    region: str,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "regional")
    session = botocore.session.get_session()
    session.register_component("data_loader", DATA)
    usual: Any = session.create_client(service)
    assert sent(make(), operation, **arguments) == sent(usual, operation, **arguments)
