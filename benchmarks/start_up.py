"""Measures what event-harness costs where it does nothing: each start of pytest, and `event-harness --help`.

It measures processor time, which other processes disturb least.
"""

import resource
import subprocess
import sys

from benchmarks.figures import Figure, run

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


def measure(quick: bool) -> list[Figure]:
    """Start each several times."""
    times = QUICK_TIMES if quick else TIMES
    plugin = [float(_output(IMPORT_PLUGIN)) * 1000 for _ in range(times)]
    alone, helped = ([_seconds(code) * 1000 for _ in range(times)] for code in ("pass", HELP))
    over = [one - min(alone) for one in helped]
    return [
        Figure(
            "import of the plugin, over pytest's own", "", "ms CPU", plugin, bounds={"median": PLUGIN_BOUND}
        ),
        Figure(
            "event-harness --help, over Python's start", "", "ms CPU", over, bounds={"median": HELP_BOUND}
        ),
    ]


def _output(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout


def _seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
