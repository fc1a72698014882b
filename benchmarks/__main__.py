"""Runs all benchmarks: one after another, or with `--quick` small ones at once, to see that they work.

It writes `results.json`, and `results.md` with a plot of each benchmark, beside this file, after each one.
With `--only`, it keeps the results of the others.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import results
from benchmarks.figures import Figure, read

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
    began = time.monotonic()
    measured: dict[str, list[Figure]] = {}
    failed = []
    place = ROOT / "benchmarks"
    earlier = results.earlier(place) if options.only else {}
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        for name in names:
            figures = _measured(name, Path(folder))
            if figures is None:
                failed.append(name)
            elif figures:
                measured[name] = figures
                known = earlier | measured
                in_order = {one: known[one] for one in FIGURES if one in known}
                results.write(in_order, place, time.monotonic() - began)
    broken = [line for figures in measured.values() for figure in figures for line in figure.broken()]
    return _said(failed, broken if options.check else [])


def _said(failed: list[str], broken: list[str]) -> int:
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    for line in broken:
        print(f"falls short: {line}", file=sys.stderr)
    return 1 if failed or broken else 0


def _measured(name: str, folder: Path) -> list[Figure] | None:
    """The figures of a benchmark; none if it has none, None if it failed."""
    began = time.monotonic()
    file = folder / f"{name}.json"
    code = subprocess.call([*_command(name), *(["--json", str(file)] if name in FIGURES else [])], cwd=ROOT)
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    if file.exists():
        return read(file)  # it returns 1 if a bound is broken, which `--check` judges
    return None if code or name in FIGURES else []


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
