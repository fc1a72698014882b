"""Prints lines that may hold text of foreign origin: keys, tags, log lines, names of files."""

from event_harness.errors import printable


def say(line: str) -> None:
    """Print a text without its control characters: they could move the cursor or change earlier lines."""
    print(printable(line), flush=True)  # noqa: T201 (the one place for lines of commands)
