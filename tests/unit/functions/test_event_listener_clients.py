"""The clients that a cold start pays for."""

from typing import Any

from clients import Late, dynamodb_client, s3_client


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
        monkeypatch.setenv(name, "eu-west-1")
    for client, attempts in ((dynamodb_client(), 3), (s3_client(), 4)):
        config = client.meta.config
        assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", attempts)
