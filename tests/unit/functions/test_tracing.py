from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

ENVIRONMENTS = {
    "event_listener": {
        "RESULTS_TABLE": "results",
        "OVERFLOW_BUCKET": "overflow",
        "RESULT_TTL_SECONDS": "3600",
        "SOURCES": "{}",
    },
    "text_processor": {"DESTINATION_BUCKET": "destination"},
}


class FakeTracer:
    """Stands for the Tracer of Powertools, whose SDK opens a socket when it is imported."""

    def __init__(self, patch_modules: list[str]) -> None:
        self.patched = patch_modules

    def capture_lambda_handler(self, handler: Callable[..., None], capture_response: bool) -> Any:
        def captured(event: object, context: object) -> tuple[str, list[str], bool]:
            return handler.__name__, self.patched, capture_response

        return captured


@pytest.mark.parametrize("function", ENVIRONMENTS)
def test_a_function_is_traced_where_there_is_a_daemon_but_not_its_response(
    load_app: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch, context: Any, function: str
) -> None:
    monkeypatch.setattr("aws_lambda_powertools.Tracer", FakeTracer)
    app = load_app(function, AWS_XRAY_DAEMON_ADDRESS="169.254.79.129:2000", **ENVIRONMENTS[function])
    assert app.handler({"Records": []}, context) == ("handler", ["botocore"], False)


@pytest.mark.parametrize("function", ENVIRONMENTS)
def test_without_a_daemon_there_is_no_tracer(
    load_app: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch, context: Any, function: str
) -> None:
    monkeypatch.setattr("aws_lambda_powertools.Tracer", None)
    app = load_app(function, **ENVIRONMENTS[function])
    assert app.handler({"Records": []}, context) is None
