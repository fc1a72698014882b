"""Measures a session on a kept deployment: its start, and the round from a saved function to a result.

The sample is deployed once and kept. Each session is a pytest of its own with one test. The reference is a
pytest with one empty test in the same directory: what it takes isn't ours.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, run

ROOT = Path(__file__).parents[1]
SAMPLE = ("main.tf", "variables.tf", "outputs.tf", "versions.tf", "modules", "functions")
TIMES, QUICK_TIMES = 7, 1
START_BOUND, ROUND_BOUND, OURS_BOUND = 0.8, 2.5, 1.0  # seconds: the guarantees
EDITED = "functions/text_processor/app.py"
CONFTEST = """
import time

def pytest_runtest_call(item):
    with open("began", "w") as file:
        file.write(str(time.time()))
"""
TEST = """
def test_text_comes_back(producer, listener):
    assert listener.wait_for(producer.send("a text")).text == "A TEXT"
"""


def measure(quick: bool) -> list[Figure]:
    """Deploy the sample, then start sessions on it, with and without an edited function."""
    times = QUICK_TIMES if quick else TIMES
    with tempfile.TemporaryDirectory(prefix="event-harness-bench-") as folder:
        project = Path(folder)
        _make(project)
        try:
            _pytest(project, "--harness-keep", "test_sample.py")
            _pytest(project, "test_empty.py")  # both write their bytecode once
            starts, rounds, ours, plain = [], [], [], []
            for number in range(times):
                plain.append(_pytest(project, "test_empty.py")[0])
                starts.append(_pytest(project, "test_sample.py", "--harness-reuse")[0])
                with (project / EDITED).open("a", encoding="utf-8") as file:
                    file.write(f"# edit {number}\n")
                until_test, whole = _pytest(project, "test_sample.py", "--harness-reuse")
                rounds.append(whole)
                ours.append(until_test - plain[-1])
        finally:
            subprocess.run(
                [sys.executable, "-m", "event_harness.cli", "sweep", *_kept(project)],
                cwd=project,
                check=True,
                stdout=subprocess.DEVNULL,
            )
    against = "pytest with an empty test"
    return [
        Figure(
            "session start with --harness-reuse",
            "until the first test",
            "s",
            starts,
            plain,
            against,
            bounds={"median": START_BOUND},
        ),
        Figure("a saved function, until its result", "whole", "s", rounds, bounds={"median": ROUND_BOUND}),
        Figure(
            "a saved function, until its result",
            "until the first test, over pytest's own start",
            "s",
            ours,
            bounds={"median": OURS_BOUND},
        ),
    ]


def _make(project: Path) -> None:
    for name in SAMPLE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, project / name)
    files = {
        "conftest.py": CONFTEST,
        "test_sample.py": TEST,
        "test_empty.py": "def test_nothing(): pass\n",
        "pytest.ini": "[pytest]\n",
    }
    for name, text in files.items():
        (project / name).write_text(text, encoding="utf-8")


def _kept(project: Path) -> list[str]:
    return [path.name for path in (project / ".event-harness" / "deployments").glob("d*")]


def _pytest(project: Path, *arguments: str) -> tuple[float, float]:
    """Run pytest; the seconds until its first test begins, and in all."""
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.time()
    # Hypothesis' plugin is there for our own tests only, and takes longer to import than pytest.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:hypothesispytest", *arguments]
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, check=False)
    ended = time.time()
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return float((project / "began").read_text()) - began, ended - began


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
