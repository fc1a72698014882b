"""Run the resilience tests and print a table: python -m resilience [kill] [signals] [faults] [soak]."""

import argparse
import shutil
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from resilience import faults, kill, signals, soak
from resilience.table import Options, Row, console, show

TESTS = {"kill": kill.run, "signals": signals.run, "faults": faults.run, "soak": soak.run}


def main() -> int:
    """Run what was asked for; 0 only if every guarantee was kept."""
    parser = argparse.ArgumentParser(prog="python -m resilience", description=__doc__)
    parser.add_argument("test", nargs="*", choices=[*TESTS, []], help="default: all of them")
    for option in fields(Options):
        parser.add_argument(
            f"--{option.name}", type=type(option.default), default=option.default, help="default: %(default)s"
        )
    arguments = parser.parse_args()
    options = Options(**{option.name: getattr(arguments, option.name) for option in fields(Options)})
    rows: list[Row] = []
    try:
        for name in arguments.test or TESTS:
            directory = Path(tempfile.mkdtemp(prefix=f"event-harness-{name}-"))
            console.print(f"{name}, in {directory}")
            try:
                rows.extend(TESTS[name](directory, options))
            finally:
                shutil.rmtree(directory, ignore_errors=True)
    finally:
        kept = show(rows)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
