"""Runs all benchmarks: one after another, or with `--quick` small ones at once, to see that they work."""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BENCHMARKS = ("side_by_side", "wait_latency", "text_processor_memory", "start_up")


def main() -> int:
    """Run all of them; return 1 if one fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").strip())
    parser.add_argument("--quick", action="store_true", help="small benchmarks, all at once")
    quick = parser.parse_args().quick
    # Small ones measure nothing that the others could disturb.
    failed = (
        _at_once() if quick else [name for name in BENCHMARKS if subprocess.call(_command(name), cwd=ROOT)]
    )
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    return 1 if failed else 0


def _in_turn() -> list[str]:
    return [name for name in BENCHMARKS if subprocess.call(_command(name), cwd=ROOT)]


def _at_once() -> list[str]:
    processes = {
        name: subprocess.Popen([*_command(name), "--quick"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for name in BENCHMARKS
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
