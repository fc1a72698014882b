"""Runs all benchmarks: one after another, or with `--quick` small ones at once, to see that they work.

It writes `results.json`, and `results.md` with a plot of each benchmark, beside this file, after each one.
With `--only`, it keeps the results of the others. It also writes the figures of `docs/comparison.md` anew.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import comparison_page, results
from benchmarks.figures import read

ROOT = Path(__file__).parents[1]
FIGURES = (
    "over_wait",
    "reads",
    "text_processor",
    "throughput",
    "many_waits",
    "cold_start",
    "listener",
    "start_up",
    "session_start",
    "cycle",
    "report_page",
)
"""The benchmarks that measure figures beside a reference."""
BENCHMARKS = (*FIGURES, "side_by_side")
"""All of them; `side_by_side` compares what is said, case by case, and has no figures."""


def main() -> int:
    """Run all of them; return 1 if one fails, or with `--check` if a figure falls short of its bound."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="small benchmarks, all at once; writes nothing")
    parser.add_argument("--check", action="store_true", help="fail if a figure falls short of its bound")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="only this one; repeatable")
    options = parser.parse_args()
    names = [name for name in BENCHMARKS if name in (options.only or BENCHMARKS)]
    if options.quick:
        # Small ones measure nothing that the others could disturb.
        return _said(_at_once(names), [])
    measured = results.Results()
    failed = []
    place = ROOT / "benchmarks"
    earlier = results.earlier(place) if options.only else results.Results()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        for name in names:
            if not _measured(name, Path(folder), measured):
                failed.append(name)
            if not measured.seconds:
                continue
            all_known = results.Results(
                _in_order(earlier.figures | measured.figures),
                measured.verdicts or earlier.verdicts,
                _in_order(earlier.seconds | measured.seconds),
            )
            results.write(all_known, place)
            comparison_page.renew(ROOT, all_known)
    broken = [line for figures in measured.figures.values() for figure in figures for line in figure.broken()]
    return _said(failed, broken if options.check else [])


def _in_order(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in BENCHMARKS if name in values}


def _said(failed: list[str], broken: list[str]) -> int:
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    for line in broken:
        print(f"falls short: {line}", file=sys.stderr)
    return 1 if failed or broken else 0


def _measured(name: str, folder: Path, measured: results.Results) -> bool:
    """Add what a benchmark measures. False if it failed."""
    began = time.monotonic()
    file = folder / f"{name}.json"
    code = subprocess.call([*_command(name), "--json", str(file)], cwd=ROOT)
    seconds = time.monotonic() - began
    print(f"{name}: {seconds:.0f} s", file=sys.stderr)
    if not file.exists():
        return False
    measured.seconds[name] = seconds
    if name in FIGURES:
        measured.figures[name] = read(file)  # it returns 1 if a bound is broken, which `--check` judges
        return True
    measured.verdicts[:] = json.loads(file.read_text(encoding="utf-8"))
    return code == 0


def _at_once(names: list[str]) -> list[str]:
    processes = {
        name: subprocess.Popen([*_command(name), "--quick"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for name in names
    }
    try:
        return [name for name, process in processes.items() if _finished(process)]
    finally:
        for process in processes.values():  # after an interrupt, each of them cleans up
            process.wait()


def _finished(process: "subprocess.Popen[str]") -> int:
    printed, _ = process.communicate()
    print(printed, end="", flush=True)
    return process.returncode


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}"]


if __name__ == "__main__":
    sys.exit(main())
