"""The history of a project's test sessions: a file with one line a session, the newest last."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from event_harness.machine.cache import write_atomically

FILE = "history.jsonl"
KEPT = 30
"""Sessions that the file keeps."""


def entry(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The line about one session."""
    session, totals = facts["session"], facts["totals"]
    latency = facts["latency"]["events"] or {}
    return {
        "at": session["ended_at"],
        "outcome": session["outcome"],
        "target": session["target"],
        "tests": totals["tests"],
        "failed_tests": totals["failed_tests"],
        "events": totals["events"],
        "arrived": totals["arrived"],
        "missing": totals["missing"],
        "duplicates": totals["duplicates"],
        "p50": latency.get("p50"),
        "p95": latency.get("p95"),
        "max": latency.get("max"),
        "durations": session["durations"],
        # Of each test and each function: its latency, [p50, p95].
        "of_tests": _percentiles((one["id"], one["latency"]) for one in facts["tests"]),
        "of_components": _percentiles(
            (one["name"], one["latency"]) for one in facts["latency"]["components"]
        ),
    }


def _percentiles(named: Iterable[tuple[str, Mapping[str, Any] | None]]) -> dict[str, list[float]]:
    return {name: [latency["p50"], latency["p95"]] for name, latency in named if latency}


def read(state_dir: Path) -> list[dict[str, Any]]:
    """The entries, the oldest first. Lines that make no sense are skipped."""
    try:
        lines = (state_dir / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    entries = []
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(line)
            if isinstance(value, dict) and isinstance(value.get("at"), int | float):
                entries.append(value)
    return entries[-KEPT:]


def append(state_dir: Path, new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Add an entry, drop the oldest ones, and return all that are kept. Sessions may do so at the same time.

    Raises:
        OSError: The file can't be written.
    """
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = state_dir / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    with FileLock(state_dir / f"{FILE}.lock"):
        entries = [*read(state_dir), dict(new)][-KEPT:]
        write_atomically(state_dir / FILE, "".join(f"{json.dumps(one)}\n" for one in entries))
    return entries
