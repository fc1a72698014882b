"""`make demo`, as a person runs it: its output, its exit code, and what it leaves behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from documented import checkout, commands_of, in_shell

from event_harness.deployments.records import recorded

ROOT = Path(__file__).parents[2]
MARK = "EVENT_HARNESS_DEMO_TEST"


@pytest.fixture
def demo(tmp_path):
    """Start demonstrations in this checkout; a mark in their environment identifies their processes."""
    started = []

    def start(*arguments, root=ROOT):
        environ = os.environ | {MARK: str(tmp_path), "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", *arguments],
            cwd=root,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def marked(tmp_path):
    """Return the processes that a demonstration started, in any session."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(tmp_path) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def records_of(process):
    """Return the records of this process only: other tests may run at the same time."""
    return [record for record in recorded(ROOT / ".event-harness") if record.pid == process.pid]


def test_commands_of_the_tutorial_demonstrate_the_system_and_leave_nothing(tmp_path):
    clone = checkout(tmp_path / "clone")
    demonstrate, write, with_a_file, read, test = commands_of("docs/tutorial.md")
    assert commands_of("README.md")[0] == demonstrate
    assert test.startswith(".venv/bin/pytest")  # test_tutorial.py runs its tests
    for command in (demonstrate, write, with_a_file):
        printed = in_shell(command, clone, **{MARK: str(tmp_path)})
        if command != write:
            for moment in ("sent", "processing", "written", "recorded", "stored", "received"):
                assert moment in printed
            assert "left: 0 resources" in printed
    assert in_shell(read, clone).strip() == "STRASSE"
    assert not list(recorded(clone / ".event-harness"))
    assert not marked(tmp_path)


def test_name_with_a_plus_and_a_blank_is_a_file_like_any_other(demo, tmp_path):
    (tmp_path / "in put+.txt").write_bytes(b"\xff")
    printed, _ = demo("--file", str(tmp_path / "in put+.txt")).communicate(timeout=300)
    assert "in put+.txt is not UTF-8" in printed


def test_function_that_cannot_start_is_told_with_its_place_on_the_path(demo, tmp_path):
    root = tmp_path / "system"
    for name in ("functions", "modules"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for file in ROOT.glob("*.tf"):
        shutil.copy(file, root)
    app = root / "functions" / "text_processor" / "app.py"
    app.write_text(f"import nothere\n{app.read_text()}")
    process = demo(root=root)
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 1, printed
    lines = printed.splitlines()
    first = next(line for line in lines if line.startswith("demo: "))
    assert first == "demo: text_processor can't start: No module named 'nothere'"
    told = [re.split(r"\s\s+", line.strip())[:2] for line in lines[lines.index(first) :]]
    assert [pair for pair in told if pair[0] in ("ok", "failed", "running", "not reached", "unknown")] == [
        ["ok", "source"],
        ["failed", "text_processor"],
        ["not reached", "destination"],
        ["not reached", "event_listener"],
    ], printed
    assert not marked(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "can't be read"), (b"abc\xffdef", "is not UTF-8 (byte 0xff at offset 3)")],
)
def test_unreadable_file_is_refused_in_one_line_before_anything_starts(demo, tmp_path, content, said):
    if content is not None:
        (tmp_path / "bad.txt").write_bytes(content)
    process = demo("--file", str(tmp_path / "bad.txt"))
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert said in printed
    assert printed.count("\n") == 1


def test_device_or_pipe_is_refused_as_a_file(demo):
    process = demo("--file", "/dev/zero")
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert printed == "demo: /dev/zero is not a file; give a file with a text: make demo FILE=path\n"


@pytest.mark.parametrize(("out", "said"), [("no/where.txt", "is no directory"), (".", "it is a directory")])
def test_unwritable_out_is_refused_before_anything_starts(demo, tmp_path, out, said):
    process = demo("--out", str(tmp_path / out))
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert said in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_during_apply_destroys_everything(demo, tmp_path, number):
    process = demo()
    seen = ""
    for line in process.stdout:
        seen += line
        if "applying" in line:
            process.send_signal(number)
            break
    printed = seen + process.communicate(timeout=600)[0]
    assert process.returncode == 1, printed
    assert "interrupted" in printed
    assert not records_of(process), printed
    assert not marked(tmp_path)
