"""Writes into the emulator's log when each invocation begins and ends.

MiniStack writes the lines of an invocation when it has ended. Until then nothing tells that a function runs.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

_log = logging.getLogger("event_harness")

Dispatch = Callable[..., Any]


def install() -> None:
    """Change MiniStack before its first function starts."""
    lambda_svc._execute_function_dispatch = told(lambda_svc._execute_function_dispatch)


def told(dispatch: Dispatch) -> Dispatch:
    """What runs an invocation, with a line before it and one after its own lines are written."""

    @functools.wraps(dispatch)
    def run(func: Any, config: dict[str, Any], event: Any, request_id: str, started: float) -> Any:
        """Run a function, and log when it begins and ends."""
        name = config.get("FunctionName")
        _log.info("invocation %s of %s begins", request_id, name)
        try:
            return dispatch(func, config, event, request_id, started)
        finally:
            _log.info("invocation %s of %s ends", request_id, name)

    return run
