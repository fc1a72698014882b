"""Reads the local AWS emulator's own log: what it says of functions that can't start, and that still run.

On AWS the platform writes both into the function's log. The emulator writes a function's log at the end of an
invocation. It writes the reason why a function can't start only into its own log.
"""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

PlatformLog = Callable[[], str]
"""Returns the text of the emulator's own log, or the end of it."""

BEGINS, ENDS = "begins", "ends"
"""The words with which the emulator's log tells of an invocation: `invocation ID of FUNCTION begins`."""

_TAIL = 512 * 1024  # bytes of the log that are read, from its end
_AT = r"^(?P<at>\d{4}-\d\d-\d\d [\d:]{8})"
NOT_STARTED = re.compile(
    rf"{_AT} ERROR \[lambda\] Warm worker execution error for (?P<name>\S+?): "
    r"(?:Worker init failed: (?P<why>.*)|(?P<exit>Worker process exited immediately\..*))$",
    re.MULTILINE,
)
"""The line of the emulator's log about a function that can't start; `why_of` reads the reason."""
_SPAWNED = re.compile(
    rf"{_AT} INFO \[lambda_runtime\] Lambda worker spawned for (?P<name>\S+) ", re.MULTILINE
)
_INVOCATION = re.compile(
    rf"{_AT} INFO \[\S+\] invocation (?P<id>\S+) of (?P<name>\S+) (?P<what>{BEGINS}|{ENDS})\b"
    r"(?: at [\d.]+ for (?P<ids>.+)|.*)$",
    re.MULTILINE,
)

_DENIED = re.compile(
    rf"{_AT} WARNING \[\S+\] permission denied: role (?P<role>\S+) may not (?P<call>\S+ on .+?) "
    r"\(function (?P<name>\S+)\)$",
    re.MULTILINE,
)


def platform_log(path: Path | None) -> PlatformLog | None:
    """What reads an emulator's log; None where there is none."""
    if path is None:
        return None

    def read() -> str:
        """Read the end of the log; empty if it can't be read."""
        try:
            with path.open("rb") as log:
                log.seek(max(0, path.stat().st_size - _TAIL))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    return read


def why_not_started(log: str, function: str, since: float) -> str | None:
    """Why the emulator could not start a function since a moment (epoch seconds); None if it could.

    A start that went well later makes an earlier failure history.
    """
    failed = [
        match for match in NOT_STARTED.finditer(log) if match["name"] == function and _at(match) + 1 >= since
    ]
    if not failed:
        return None
    started = [match for match in _SPAWNED.finditer(log) if match["name"] == function]
    if started and started[-1].start() > failed[-1].start():
        return None
    return why_of(failed[-1])


def why_of(match: re.Match[str]) -> str:
    """The reason that a line about a function that can't start gives."""
    return str(match["why"] or match["exit"]).strip().removesuffix("stderr:").strip()


def running_since(log: str, function: str, since: float) -> datetime | None:
    """When the newest invocation of a function began that has not ended; None if all have ended.

    Args:
        log: The emulator's log.
        function: Its name.
        since: Invocations that began before it don't count, epoch seconds.
    """
    begun: dict[str, float] = {}
    for match in _INVOCATION.finditer(log):
        if match["name"] != function:
            continue
        if match["what"] == ENDS:
            begun.pop(match["id"], None)
        elif _at(match) + 1 >= since:
            begun[match["id"]] = _at(match)
    return datetime.fromtimestamp(max(begun.values())) if begun else None


def inputs_by_request(log: str, function: str) -> dict[str, set[str]]:
    """Lambda request id -> correlation ids in its event, of a function's invocations that had any."""
    return {
        match["id"]: set(match["ids"].split())
        for match in _INVOCATION.finditer(log)
        if match["name"] == function and match["ids"]
    }


def inputs_of(path: Path | None) -> Callable[[str], set[str]]:
    """What tells the correlation ids in the event of a Lambda request; none where there is no log."""
    log = platform_log(path)

    def read(request_id: str) -> set[str]:
        """Read the end of the log."""
        found = (match for match in _INVOCATION.finditer(log() if log else "") if match["id"] == request_id)
        return {one for match in found for one in (match["ids"] or "").split()}

    return read


def denials(log: str, function: str, since: float) -> list[str]:
    """What a function's role was denied since a moment (epoch seconds): `the role R may not ACTION on …`."""
    return [
        f"the role {match['role']} may not {match['call']}"
        for match in _DENIED.finditer(log)
        if match["name"] == function and _at(match) + 1 >= since
    ]


def _at(match: re.Match[str]) -> float:
    """Epoch seconds of a line. The emulator writes local time, in whole seconds."""
    return datetime.strptime(match["at"], "%Y-%m-%d %H:%M:%S").timestamp()
