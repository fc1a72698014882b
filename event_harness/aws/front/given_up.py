"""Writes into the emulator's log what functions have given up, and no failure destination keeps.

Nothing else tells it: such an event is lost. `event_harness.explaining.given_up` reads the lines.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from event_harness.aws.front.invocations import ids_in

_log = logging.getLogger("event_harness")

_ATTEMPTS = "event_harness_attempts"  # of an asynchronous event, beside what MiniStack knows of its function

Execute = Callable[[Any, Any], dict[str, Any]]
Invoke = Callable[[Any, Any], None]


def install() -> None:
    """Change MiniStack's asynchronous invocations."""
    lambda_svc.invoke_async_with_retry = begun(lambda_svc.invoke_async_with_retry)
    lambda_svc._execute_function = counted(lambda_svc._execute_function)


def begun(invoke: Invoke) -> Invoke:
    """Count the attempts of each asynchronous event."""

    @functools.wraps(invoke)
    def invoked(func: Any, event: Any) -> None:
        """Invoke a function asynchronously."""
        invoke({**func, _ATTEMPTS: []} if isinstance(func, dict) else func, event)

    return invoked


def counted(execute: Execute) -> Execute:
    """Tell of an event whose last attempt has failed."""

    @functools.wraps(execute)
    def executed(func: Any, event: Any) -> dict[str, Any]:
        """Invoke a function once."""
        result = execute(func, event)
        attempts = func.get(_ATTEMPTS) if isinstance(func, dict) else None
        if attempts is not None and result.get("error"):
            attempts.append(result)
            if len(attempts) == _most(func) and not _destination(func):
                tell(func, event, len(attempts))
        return result

    return executed


def tell(func: Any, event: Any, attempts: int) -> None:
    """Write the line about an event, or about records of a stream."""
    name = (func.get("config") or func).get("FunctionName")
    _log.info("event given up by %s after %d attempts%s", name, attempts, ids_in(event))


def _most(func: Any) -> int:
    retries = _settings(func).get("MaximumRetryAttempts")
    return 1 + (2 if retries is None else int(retries))


def _destination(func: Any) -> str:
    """Where MiniStack sends what it gives up."""
    config = func.get("config") or func
    on_failure = (_settings(func).get("DestinationConfig") or {}).get("OnFailure") or {}
    return str(on_failure.get("Destination") or (config.get("DeadLetterConfig") or {}).get("TargetArn") or "")


def _settings(func: Any) -> dict[str, Any]:
    found = func.get("event_invoke_config") or (func.get("event_invoke_configs") or {}).get("$LATEST") or {}
    return dict(found)
