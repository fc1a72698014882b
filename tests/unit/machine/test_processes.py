"""Telling whether a process is still the one that was noted."""

import os
import subprocess
import sys

import psutil
import pytest

from event_harness.aws import supervisor as supervisor
from event_harness.machine import processes


@pytest.fixture
def own():
    process = psutil.Process()
    return process.pid, processes.started_at(process)


def test_recorded_process_is_alive(own):
    assert processes.still_lives(*own)


def test_other_process_with_the_same_pid_is_not_the_recorded_one(own):
    pid, started = own
    assert not processes.still_lives(pid, started - 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel keeps a time from boot")
def test_process_stays_the_same_when_the_clock_is_set(own, monkeypatch):
    created = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + 1)
    assert processes.still_lives(*own)


def test_program_name_with_brackets_and_digits_is_not_read_as_start_time(tmp_path, own):
    program = tmp_path / "a) 1 (2"
    program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert processes.started_at(psutil.Process(child.pid)) >= own[1]
        child.communicate(b"\n")


def test_killed_process_that_nobody_reaps_is_dead():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = processes.started_at(psutil.Process(child.pid))
        assert processes.still_lives(child.pid, started)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not processes.still_lives(child.pid, started)


def test_unused_pid_is_dead():
    assert not processes.still_lives(2**40, 1.0)


@pytest.fixture
def beginning(monkeypatch):
    """Starts a process with an environment that can't be seen at the first looks, as while it begins."""
    children, real = {}, psutil.Process.environ

    def environ(process):
        if children.get(process.pid):
            children[process.pid] -= 1
            return {}
        return real(process)

    def start(looks, **marks):
        child = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"],
            env=os.environ | marks,
            start_new_session=True,
        )
        started.append(child)
        children[child.pid] = looks
        return child

    monkeypatch.setattr(psutil.Process, "environ", environ)
    monkeypatch.setattr(processes, "_YOUNG", 60)
    monkeypatch.setattr(processes, "_AGAIN", 0)
    started = []
    yield start
    for child in started:
        child.kill()
        child.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process may be seen so early")
def test_process_that_has_just_started_is_found_by_its_mark(beginning):
    child = beginning(3, EVENT_HARNESS_TEST_MARK="beginning")
    found = processes.carrying("EVENT_HARNESS_TEST_MARK", "beginning")
    assert [process.pid for process in found] == [child.pid]


def test_process_that_has_just_started_is_ended_with_its_emulator(beginning, tmp_path):
    child = beginning(1, **{supervisor.MARK: str(tmp_path)})
    assert supervisor.clear(tmp_path) == []
    assert child.poll() is not None
