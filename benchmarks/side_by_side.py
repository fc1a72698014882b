"""Compares what the sample's poll loop and event-harness say, case by case, on one local AWS emulator.

Run it with `make bench`, or alone: `python -m benchmarks.side_by_side`; `--case NAME` selects cases.
Exit code 1 if event-harness breaks a guarantee in any case; with `--quick`, guarantees of time don't count.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.comparison.bench import Bench, benches
from benchmarks.comparison.cases import CASES
from benchmarks.comparison.dying import dies
from benchmarks.comparison.effort import FULL, QUICK
from benchmarks.comparison.verdicts import Row, Verdict
from event_harness.machine.interrupts import orderly_interrupts

# The last case kills the process that has deployed a system.
ALL: dict[str, Callable[[Bench], Row]] = {
    **CASES,
    "dies": dies,
}
QUIET = ("plus", "unicode", "large", "not-text")
"""These change no function and no table. The sample waits in vain in each, so they run at the same time."""
COLUMNS = (
    "case",
    "the sample's poll loop says",
    "after",
    "reads",
    "event-harness says",
    "after",
    "reads",
    "as guaranteed",
)


def main() -> int:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.side_by_side", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--case", action="append", choices=ALL, help="only this one; repeatable; default: all"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument(
        "--quick", action="store_true", help="few and short tests, to see that all cases work"
    )
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    options = parser.parse_args()
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s {line}", file=sys.stderr, flush=True)

    names = [name for name in ALL if name in (options.case or ALL)]
    with (
        orderly_interrupts(),
        tempfile.TemporaryDirectory(prefix="side-by-side-") as directory,
        benches(Path(directory), QUICK if options.quick else FULL) as bench,
    ):
        done = _at_the_same_time([name for name in names if name in QUIET], bench, say)
        for name in names:
            if name not in done:
                say(name)
                done[name] = ALL[name](bench)
        say("cleaning up")
    say("done")
    rows = [done[name] for name in names]
    if options.json:
        options.json.write_text(json.dumps([cells(row) for row in rows]), encoding="utf-8")
    (print_markdown if options.markdown else print_table)(rows)
    return 0 if all(row.kept or (row.timed and options.quick) for row in rows) else 1


def _at_the_same_time(names: Sequence[str], bench: Bench, say: Callable[[str], None]) -> dict[str, Row]:
    """Run cases each with a test session of its own."""
    if names:
        say(", ".join(names))
    with ThreadPoolExecutor(len(QUIET)) as pool:
        rows = {name: pool.submit(ALL[name], bench.another()) for name in names}
    return {name: row.result() for name, row in rows.items()}


def print_table(rows: list[Row]) -> None:
    """Print the table on a terminal."""
    table = Table(*COLUMNS, title="side by side", show_lines=True)
    for row in rows:
        table.add_row(*cells(row))
    Console(width=None if sys.stdout.isatty() else 180).print(table)


def print_markdown(rows: list[Row]) -> None:
    """Print the table as Markdown."""
    print("\n".join(markdown([cells(row) for row in rows])))


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table of the texts of all rows."""
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return [f"| {' | '.join(row)} |" for row in (COLUMNS, ["---"] * len(COLUMNS), *escaped)]


def cells(row: Row) -> list[str]:
    """The texts of a row."""
    return [row.case, *_said(row.sample), *_said(row.ours), "yes" if row.kept else "NO"]


def _said(verdict: Verdict) -> list[str]:
    seconds = "" if verdict.seconds is None else f"{verdict.seconds:.2f} s"
    reads = "" if verdict.reads is None else f"{verdict.reads:.1f}".removesuffix(".0")
    # A name with the id of a deployment is another one each time.
    return [re.sub(r"\b[\w-]*-d[0-9a-z]{13}-", "…-", verdict.says), seconds, reads]


if __name__ == "__main__":
    sys.exit(main())
