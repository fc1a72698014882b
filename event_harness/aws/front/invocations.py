"""Writes into the emulator's log when each invocation begins and ends, and for which inputs.

MiniStack writes the lines of an invocation when it has ended. Until then nothing tells that a function runs.
Of the event, only the correlation ids of the harness's own form are written: they are no content.
"""

import functools
import json
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from ministack.services import lambda_svc

from event_harness.machine.clock import timestamp

_log = logging.getLogger("event_harness")

Dispatch = Callable[..., Any]

_ID = re.compile(r"(?<![\w-])s[0-9a-z]{13}/[0-9A-HJKMNP-TV-Z]{26}(?![\w-])")
_MOST = 100  # ids of one event; a batch of a queue has ten


def install() -> None:
    """Change MiniStack before its first function starts."""
    lambda_svc._execute_function_dispatch = told(lambda_svc._execute_function_dispatch)


def told(dispatch: Dispatch) -> Dispatch:
    """What runs an invocation, with a line before it and one after its own lines are written."""

    @functools.wraps(dispatch)
    def run(func: Any, config: dict[str, Any], event: Any, request_id: str, started: float) -> Any:
        """Run a function, and log when it begins and ends."""
        name = config.get("FunctionName")
        _log.info("invocation %s of %s begins at %.3f%s", request_id, name, timestamp(), ids_in(event))
        try:
            return dispatch(func, config, event, request_id, started)
        finally:
            _log.info("invocation %s of %s ends at %.3f", request_id, name, timestamp())

    return run


def ids_in(event: Any) -> str:
    """The correlation ids in an event, as the log tells them; an empty text if there is none."""
    try:
        text = unquote_plus(json.dumps(event, default=str))
    except (ValueError, RecursionError):
        return ""
    found = list(dict.fromkeys(_ID.findall(text)))[:_MOST]
    return f" for {' '.join(found)}" if found else ""
