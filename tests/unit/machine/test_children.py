"""Processes that get a signal when the one that has started them ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from event_harness.machine import children

CHILD = """\
import pathlib, signal, sys, time
def said(*_):
    pathlib.Path(sys.argv[1]).write_text("interrupted")
    sys.exit()
signal.signal(signal.SIGINT, said)
print("ready", flush=True)
time.sleep(600)
"""
PARENT = """\
import signal, subprocess, sys
from event_harness.machine import children
if sys.argv[3] == "without setpriv":
    children._setpriv = lambda: None
arguments = [sys.executable, "-c", sys.argv[1], sys.argv[2]]
child = children.start(arguments, at_our_end=signal.SIGINT, stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""
WAYS = ["with setpriv", "without setpriv"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no other system has such a signal")


def _needs_setpriv(way):
    if way == "with setpriv" and not children._setpriv():
        pytest.skip("this machine has no setpriv of util-linux")


@pytest.mark.parametrize("way", WAYS)
def test_child_is_told_when_its_parent_is_killed(tmp_path, way):
    _needs_setpriv(way)
    note = tmp_path / "note"
    arguments = [sys.executable, "-c", PARENT, CHILD, note, way]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    deadline = time.monotonic() + 60
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.01)
    assert note.read_text() == "interrupted"


@pytest.mark.parametrize("way", WAYS)
def test_child_gets_its_arguments_environment_and_pid(way, monkeypatch):
    _needs_setpriv(way)
    if way == "without setpriv":
        monkeypatch.setattr(children, "_setpriv", lambda: None)
    program = "import os, sys; print(os.getpid(), os.environ['NAME'], sys.argv[1:])"
    child = children.start(
        [Path(sys.executable), "-c", program, "--", "-h"],
        at_our_end=signal.SIGKILL,
        stdout=subprocess.PIPE,
        env={"NAME": "value"},
    )
    said, _ = child.communicate()
    assert said.decode() == f"{child.pid} value ['--', '-h']\n"
    assert child.returncode == 0


def test_program_that_is_not_there_is_the_same_error_as_ever(tmp_path):
    with pytest.raises(FileNotFoundError):
        children.start([tmp_path / "no"], at_our_end=signal.SIGKILL)


def test_program_that_may_not_be_run_is_the_same_error_as_ever(tmp_path):
    (tmp_path / "text").write_text("no program")
    with pytest.raises(PermissionError):
        children.start([tmp_path / "text"], at_our_end=signal.SIGKILL)


@pytest.mark.parametrize("answer", ["exit 1", None], ids=["one that can't", "none"])
def test_machine_without_a_setpriv_that_can_do_it_starts_children_too(tmp_path, monkeypatch, answer):
    if answer:
        (tmp_path / "setpriv").write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / "setpriv").chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    children._setpriv.cache_clear()
    try:
        assert children._setpriv() is None
        assert children.start([sys.executable, "-c", ""], at_our_end=signal.SIGKILL).wait() == 0
    finally:
        children._setpriv.cache_clear()
