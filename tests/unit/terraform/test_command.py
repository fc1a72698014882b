"""Terraform's manners are shown with small programs in its place, which fail in ways that it fails in."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import psutil
import pytest

from event_harness.errors import DeploymentError, EmulatorGoneError
from event_harness.machine import interrupts
from event_harness.machine.interrupts import orderly_interrupts
from event_harness.terraform import command
from event_harness.terraform.command import Terraform


@pytest.fixture(autouse=True)
def _each_signal_counts(monkeypatch):
    """The signals of two tests come within a moment, but are no burst."""
    monkeypatch.setattr(interrupts, "BURST", 0.0)


@pytest.fixture
def terraform(tmp_path):
    def make(program, **arguments):
        binary = tmp_path / "terraform"
        # `env -S`: the interpreter's path may hold spaces.
        first_line = f'#!/usr/bin/env -S "{sys.executable}"'
        binary.write_text(f"{first_line}\nimport os, signal, subprocess, sys, time\n{program}\n")
        binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
        environ = {"PATH": os.environ["PATH"]}
        return Terraform(tmp_path, binary=binary, environ=environ, logs=tmp_path / "logs", **arguments)

    return make


def test_full_stderr_pipe_does_not_block(terraform):
    done = terraform("sys.stderr.write('x' * 1_000_000); print('done')").execute_command("plan")
    assert done.out == "done\n"
    assert len(done.err) == 1_000_000


@pytest.mark.parametrize("code", [1, 2, 11, 130])
def test_every_exit_code_but_zero_is_an_error(terraform, code):
    with pytest.raises(DeploymentError, match=f"exit code {code}"):
        terraform(f"sys.exit({code})").execute_command("apply")


def test_killed_terraform_is_an_error(terraform):
    with pytest.raises(DeploymentError, match="exit code -9"):
        terraform("os.kill(os.getpid(), 9)").execute_command("apply")


def test_exit_code_two_is_an_answer_where_it_is_asked_for(terraform):
    assert terraform("sys.exit(2)").execute_command("plan", "-detailed-exitcode").retcode == 2


def test_command_that_takes_too_long_is_interrupted(terraform):
    with pytest.raises(DeploymentError, match=r"longer than 0\.2 s"):
        terraform("time.sleep(600)", timeout=0.2).execute_command("apply")


def test_nothing_of_a_command_outlives_it(terraform):
    program = "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    left = int(terraform(program).execute_command("apply").out)
    _, alive = psutil.wait_procs([psutil.Process(left)] if psutil.pid_exists(left) else [], timeout=60)
    assert not alive


def test_interrupt_reaches_terraform_which_may_finish_and_write_its_state(terraform, tmp_path):
    program = """
def end(*_):
    open('state', 'w').write('written')
    sys.exit(0)
signal.signal(signal.SIGINT, end)
print('ready', flush=True)
time.sleep(600)
"""

    def interrupt(line):
        assert line == "ready"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        terraform(program, on_line=interrupt).execute_command("apply")
    assert (tmp_path / "state").read_text() == "written"


@contextmanager
def pythons_own_interrupts():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("handled", [orderly_interrupts, pythons_own_interrupts])
def test_interrupt_while_a_command_is_being_started_does_not_lose_it(terraform, monkeypatch, handled):
    started, popen = [], subprocess.Popen

    def interrupted(*arguments, **settings):
        started.append(popen(*arguments, **settings))
        signal.raise_signal(signal.SIGINT)
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with handled(), pytest.raises(KeyboardInterrupt):
        terraform("time.sleep(600)", timeout=20).execute_command("apply")
    ended = started[0].poll() is not None
    started[0].kill()
    started[0].wait()
    assert ended


def test_interrupt_within_poll_leaves_no_lock_taken(terraform, monkeypatch):
    """`Popen.poll` takes a lock before its `try`: an exception in between would leave it taken for ever."""
    polled, poll = [], subprocess.Popen.poll

    def interrupted(process):
        if not polled:
            signal.raise_signal(signal.SIGTERM)
        polled.append(process)
        return poll(process)

    monkeypatch.setattr(subprocess.Popen, "poll", interrupted)
    with orderly_interrupts(), pytest.raises(KeyboardInterrupt):
        terraform("time.sleep(600)", timeout=20).execute_command("apply")
    assert len(polled) > 1  # the first one wasn't cut off
    assert polled[0].returncode is not None


@pytest.mark.parametrize("gone_after", [0, 0.3])
def test_command_ends_at_once_if_its_target_is_gone(terraform, monkeypatch, gone_after):
    monkeypatch.setattr(command, "_CHECK", 0.01)
    deadline = time.monotonic() + gone_after

    def check():
        if time.monotonic() > deadline:
            raise EmulatorGoneError("the local AWS emulator has ended")

    stubborn = "signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)"
    with pytest.raises(EmulatorGoneError):
        terraform(stubborn, timeout=20, check=check).execute_command("apply")


def test_another_thread_can_interrupt_a_command(terraform):
    stop = threading.Event()
    program = "print('ready', flush=True); time.sleep(600)"
    with pytest.raises(KeyboardInterrupt):
        terraform(program, on_line=lambda _line: stop.set(), interrupted=stop).execute_command("apply")


def test_environment_is_exactly_what_was_given(terraform, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    program = "print('AWS_PROFILE' in os.environ)"
    assert terraform(program).execute_command("plan").out == "False\n"


def test_each_command_has_a_log_of_its_own(terraform, tmp_path):
    one = terraform("print(sys.argv[1])")
    one.execute_command("init")
    one.execute_command("apply")
    assert [p.read_text() for p in sorted((tmp_path / "logs").iterdir())] == ["init\n", "apply\n"]


def test_missing_binary_is_said(tmp_path):
    one = Terraform(tmp_path, binary=tmp_path / "no", environ={}, logs=tmp_path / "logs")
    with pytest.raises(DeploymentError, match="can't be started"):
        one.execute_command("init")


def test_commands_may_run_in_threads(terraform):
    one, out = terraform("print('hello')"), []
    thread = threading.Thread(target=lambda: out.append(one.execute_command("plan").out))
    thread.start()
    thread.join()
    assert out == ["hello\n"]
