"""Gives the errors of MiniStack's Python functions their type, as Lambda does.

MiniStack 1.5.33 calls each exception `Runtime.HandlerError`, so that no `Catch` or `Retry` of a state machine
finds its error. `tests/integration/test_emulated_deliveries.py` fails as soon as it tells the type: delete
this module then.
"""

import functools
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

_UNTYPED = "Runtime.HandlerError"

Execute = Callable[[Any, Any, str], dict[str, Any]]


def install() -> None:
    """Change the results of MiniStack's functions."""
    lambda_svc._execute_function_warm = typed(lambda_svc._execute_function_warm)


def typed(execute: Execute) -> Execute:
    """What runs a function in its process."""

    @functools.wraps(execute)
    def executed(func: Any, event: Any, request_id: str) -> dict[str, Any]:
        """Run a function; the error of one that raised has its type."""
        result = execute(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == _UNTYPED:
            kind = type_of(str(result.get("log") or ""), str(body.get("errorMessage") or ""))
            if kind:
                return {**result, "body": {**body, "errorType": kind}}
        return result

    return executed


def type_of(log: str, message: str) -> str | None:
    """The name of the exception with whose traceback a log ends; None if it doesn't end with one.

    Args:
        log: of an invocation.
        message: that of the exception; may have several lines.
    """
    text = log.removesuffix("\n")
    end = f": {message}" if message else ""
    if not text.endswith(end):
        return None
    name = text.removesuffix(end).rpartition("\n")[2].rpartition(".")[2]
    return name if name.isidentifier() else None
