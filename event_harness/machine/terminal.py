"""Prints lines that may hold text of foreign origin: keys, tags, log lines, names of files."""

import sys

from event_harness.errors import printable


def say(line: str) -> None:
    """Print a text without its control characters: they could move the cursor or change earlier lines."""
    print(printable(line), flush=True)  # noqa: T201 (the one place for lines of commands)


def say_aside(line: str) -> None:
    """Print a line that is no output of the command: to stderr."""
    print(f"event-harness: {printable(line)}", file=sys.stderr, flush=True)  # noqa: T201
