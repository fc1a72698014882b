"""Measures what event-harness costs where it does nothing: each start of pytest, and `event-harness --help`.

Run it with `make bench`, or alone: `python -m benchmarks.start_up`. It measures processor time, which other
processes disturb least, and takes the smallest of several measurements. Exit code 1 if a figure is over its
bound; with `--quick`, which measures less often, the bounds don't count.
"""

import argparse
import resource
import subprocess
import sys

from rich.console import Console
from rich.table import Table

TIMES, QUICK_TIMES = 15, 3
PLUGIN_BOUND, HELP_BOUND = 40, 100  # milliseconds: the guarantees
# Pytest's own modules are loaded first, so only the modules of the plugin are measured.
IMPORT_PLUGIN = """
import time, _pytest.config
_pytest.config.get_config()
began = time.process_time()
import event_harness.plugin
print(time.process_time() - began)
"""
HELP = "import sys; sys.argv = ['event-harness', '--help']; from event_harness.cli import main; main()"


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure less often, to see that it works")
    options = parser.parse_args()
    times = QUICK_TIMES if options.quick else TIMES
    plugin = min(float(_output(IMPORT_PLUGIN)) for _ in range(times)) * 1000
    alone, helped = (min(_seconds(code) for _ in range(times)) * 1000 for code in ("pass", HELP))
    figures = {
        "import of the plugin, over pytest's own": (plugin, PLUGIN_BOUND),
        "event-harness --help, over Python's start": (helped - alone, HELP_BOUND),
    }
    table = Table("", "ms", "at most", title="start-up")
    for name, (measured, bound) in figures.items():
        table.add_row(name, f"{measured:.0f}", str(bound))
    Console().print(table)
    return 0 if options.quick or all(measured <= bound for measured, bound in figures.values()) else 1


def _output(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout


def _seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
