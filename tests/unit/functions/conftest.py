"""Both functions' folders are import roots, as in Lambda; only `app` is a name that both have."""

import importlib.util
import io
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

FUNCTIONS = Path(__file__).parents[3] / "functions"

sys.path[:0] = [
    str(FUNCTIONS / "text_processor"),
    str(FUNCTIONS / "event_listener"),
    str(Path(__file__).parent),
]


serial = itertools.count()


@pytest.fixture
def load_app(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Load a function's app.py as Lambda would: by its environment; what it logs goes to `app.log`."""

    def load(function: str, **environ: str) -> ModuleType:
        for name, value in {
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            # Loggers are kept by their service's name, each with the output it was made with.
            "POWERTOOLS_SERVICE_NAME": f"{function}-{next(serial)}",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }.items():
            monkeypatch.setenv(name, value)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        spec = importlib.util.spec_from_file_location(f"{function}_app", FUNCTIONS / function / "app.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.log = io.StringIO()
        module.logger.handlers[0].setStream(module.log)
        return module

    return load


@pytest.fixture
def log_lines() -> Callable[[ModuleType], list[dict[str, Any]]]:
    """Read what a loaded function has logged."""
    return lambda app: [json.loads(line) for line in app.log.getvalue().splitlines()]


@pytest.fixture
def context() -> SimpleNamespace:
    """What Lambda tells of an invocation."""
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=128,
        invoked_function_arn="arn:aws:lambda:eu-west-1:000000000000:function:function",
        aws_request_id="request-1",
        get_remaining_time_in_millis=lambda: 60_000,
    )
