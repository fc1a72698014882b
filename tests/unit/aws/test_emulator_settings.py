"""The environment of MiniStack, and which processes belong to it. MiniStack is not started."""

import os
import subprocess
import sys
import types

import psutil
import pytest

from event_harness.aws import emulator as emulator
from event_harness.aws import launching
from event_harness.aws import supervisor as supervisor
from event_harness.aws.credentials import Credentials
from event_harness.aws.emulator import LocalEmulator
from event_harness.errors import EmulatorError

KEY = Credentials.fresh()


def test_nothing_of_the_users_environment_reaches_the_functions(tmp_path, monkeypatch):
    for name in (
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
        "PYTHONPATH",
        "LD_PRELOAD",
        "GITHUB_TOKEN",
        "LAMBDA_EXECUTOR",
        *launching.environment(tmp_path, 1234, False, KEY),
    ):
        if name != "PATH":
            monkeypatch.setenv(name, "planted")
    environ = launching.environment(tmp_path, 1234, False, KEY)
    assert "planted" not in environ.values()
    assert environ["PATH"] == os.environ["PATH"]


def test_it_binds_loopback_and_writes_only_below_its_directory(tmp_path):
    environ = launching.environment(tmp_path, 1234, False, KEY)
    assert environ["BIND_HOST"] == "127.0.0.1"
    assert environ["GATEWAY_PORT"] == "1234"
    assert environ["IOT_MTLS_ENABLED"] == "0"
    for name in ("HOME", "TMPDIR", "STATE_DIR", "S3_DATA_DIR"):
        assert environ[name].startswith(str(tmp_path))
    assert "no-docker" in environ["DOCKER_HOST"]


@pytest.mark.parametrize(("auth", "text"), [(True, "true"), (False, "false")])
def test_policies_are_enforced_only_when_asked_for(tmp_path, auth, text):
    assert launching.environment(tmp_path, 1, auth, KEY)["AUTH"] == text


def test_missing_emulator_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(emulator.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmulatorError, match=r"is not installed: pip install 'event-harness\[local\]'"):
        LocalEmulator.start(tmp_path / "aws")


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"supervisor": 0, "pid": 1, "port": 1}'])
def test_directory_without_a_running_one_has_none(tmp_path, text):
    if text is not None:
        (tmp_path / supervisor.RECORD).write_text(text)
    assert LocalEmulator.find(tmp_path) is None


def test_record_of_a_pid_that_another_process_has_now_is_not_believed(tmp_path):
    (tmp_path / supervisor.RECORD).write_text(
        f'{{"supervisor": {os.getpid()}, "pid": {os.getpid()}, "port": 1}}'
    )
    assert LocalEmulator.find(tmp_path) is None


def test_running_one_is_found_with_its_port_and_its_key(tmp_path, monkeypatch):
    (tmp_path / supervisor.RECORD).write_text('{"supervisor": 11, "pid": 12, "port": 4567}')
    environ = launching.environment(tmp_path, 4567, False, KEY)
    monkeypatch.setattr(
        emulator.psutil, "Process", lambda pid: types.SimpleNamespace(pid=pid, environ=lambda: environ)
    )
    monkeypatch.setattr(
        emulator.supervisor, "is_of", lambda process, directory: (process.pid, directory) == (11, tmp_path)
    )
    monkeypatch.setattr(LocalEmulator, "alive", lambda _self: True)
    found = LocalEmulator.find(tmp_path)
    assert (found.port, found.pid, found.credentials) == (4567, 12, KEY)


@pytest.fixture
def sleeper():
    """Starts processes that sleep; ends them after the test."""
    started = []

    def start(environ, **arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"], env=environ, **arguments
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_only_processes_with_the_mark_of_the_directory_are_ended(tmp_path, sleeper):
    mine = sleeper({supervisor.MARK: str(tmp_path)}, start_new_session=True)
    others = sleeper({supervisor.MARK: str(tmp_path) + "2"}, start_new_session=True)
    unmarked = sleeper({})
    assert supervisor.clear(tmp_path) == []
    assert mine.poll() is not None
    assert others.poll() is None
    assert unmarked.poll() is None


def test_processes_that_a_function_starts_without_an_environment_are_ended_too(tmp_path):
    """They have no mark, but they are in the session of a process that has it."""
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '600'], env={})\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={supervisor.MARK: str(tmp_path), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        assert supervisor.clear(tmp_path) == []
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_clearing_takes_the_folders_and_leaves_the_log(tmp_path):
    for name in supervisor.FOLDERS:
        (tmp_path / name / "deep").mkdir(parents=True)
    (tmp_path / supervisor.RECORD).write_text("{}")
    (tmp_path / supervisor.LOG).write_text("words")
    for _ in range(2):
        supervisor.clear(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [supervisor.LOG]


def test_folders_stay_while_a_process_that_uses_them_still_lives(tmp_path, monkeypatch):
    class Immortal:
        pid = 4711

        def kill(self):
            """Do nothing, like a process that waits for a broken disk."""

    monkeypatch.setattr(supervisor, "processes_of", lambda directory: [Immortal()])
    monkeypatch.setattr(supervisor.psutil, "wait_procs", lambda processes, timeout: ([], processes))
    monkeypatch.setattr(supervisor, "_PATIENCE", 0.01)
    (tmp_path / "tmp").mkdir()
    with pytest.raises(EmulatorError, match="can't be ended: 4711; end them with: kill -9 4711"):
        LocalEmulator.end(tmp_path)
    assert (tmp_path / "tmp").is_dir()
