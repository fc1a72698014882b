"""Reads from the local AWS emulator's log what functions have given up, and no failure queue keeps."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from event_harness.machine.json_lines import Tail
from event_harness.results.failure import Failure

_LINE = re.compile(
    r"^(?P<at>\d{4}-\d\d-\d\d [\d:]{8}) INFO \[\S+\] event given up by (?P<name>\S+) "
    r"after (?P<attempts>\d+) attempts for (?P<ids>.+)$",
    re.MULTILINE,
)


def given_up(path: Path | None, owners: Mapping[str, str]) -> Callable[[], list[Failure]]:
    """What tells the failures that were added to the log since it was asked last; none without a log.

    Args:
        path: The emulator's log.
        owners: Name of a function -> name of its component.
    """
    tail = Tail(path) if path else None

    def read() -> list[Failure]:
        """Read what is new in the log."""
        return [_failure(match, owners) for match in _LINE.finditer(tail.text() if tail else "")]

    return read


def _failure(match: re.Match[str], owners: Mapping[str, str]) -> Failure:
    at = datetime.strptime(match["at"], "%Y-%m-%d %H:%M:%S").astimezone()  # the emulator writes local time
    return Failure(
        component=owners.get(match["name"], match["name"]),
        queue_url="",
        message_id=f"given up by {match['name']}: {match['ids']} ({match['at']})",
        failed_at=at,
        condition="RetriesExhausted",
        attempts=int(match["attempts"]),
        error_type=None,
        error_message=None,
        request_id=None,
        event=None,
        named=match["name"],
    ).about(match["ids"].split())
