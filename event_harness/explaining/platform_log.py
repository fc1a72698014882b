"""Reads the local AWS emulator's own log for functions whose code it could not load.

A function that can't start writes no line. On AWS the platform writes the reason into the function's log; the
emulator writes it into its own.
"""

import re
from collections.abc import Callable
from datetime import datetime

PlatformLog = Callable[[], str]
"""Returns the text of the emulator's own log, or the end of it."""

_FAILED = re.compile(
    r"^(?P<at>\d{4}-\d\d-\d\d [\d:]{8}) ERROR \[lambda\] Warm worker execution error for (?P<name>\S+?): "
    r"(?:Worker init failed: (?P<why>.*)|(?P<exit>Worker process exited immediately\..*))$",
    re.MULTILINE,
)
_SPAWNED = re.compile(
    r"^(?P<at>\d{4}-\d\d-\d\d [\d:]{8}) INFO \[lambda_runtime\] Lambda worker spawned for (?P<name>\S+) ",
    re.MULTILINE,
)


def why_not_started(log: str, function: str, since: float) -> str | None:
    """Why the emulator could not start a function since a moment (epoch seconds); None if it could.

    A start that went well later makes an earlier failure history.
    """
    failed = [match for match in _FAILED.finditer(log) if match["name"] == function and _at(match) >= since]
    if not failed:
        return None
    started = [match for match in _SPAWNED.finditer(log) if match["name"] == function]
    if started and started[-1].start() > failed[-1].start():
        return None
    return str(failed[-1]["why"] or failed[-1]["exit"]).strip()


def _at(match: re.Match[str]) -> float:
    """Epoch seconds, of the end of the second that the emulator has written."""
    return datetime.strptime(match["at"], "%Y-%m-%d %H:%M:%S").timestamp() + 1
