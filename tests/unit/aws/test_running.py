"""How a running emulator is found: by the environment of its processes, without any file."""

import subprocess
import sys

import pytest

from event_harness.aws import running, supervisor
from event_harness.aws.credentials import Credentials

PORT = 45661
KEY = Credentials.fresh()


@pytest.fixture
def emulator(tmp_path, monkeypatch):
    """A process with the environment of an emulator of `project/aws`; it counts as the server of its port."""
    directory = tmp_path / "project" / "aws"
    environ = {
        supervisor.MARK: str(directory),
        "GATEWAY_PORT": str(PORT),
        "AWS_ACCESS_KEY_ID": KEY.access_key,
        "AWS_SECRET_ACCESS_KEY": KEY.secret_key,
    }
    script = "import time; print(1, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], env=environ, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            monkeypatch.setattr(running, "listens", lambda pid, port: (pid, port) == (process.pid, PORT))
            yield running.Running(process.pid, directory, PORT, KEY)
        finally:
            process.kill()


def test_emulator_is_found_by_its_port(emulator):
    assert running.at_port(PORT) == emulator
    assert running.at_port(PORT + 1) is None


def test_emulator_is_found_by_the_project_that_started_it(emulator, tmp_path):
    assert running.below(tmp_path / "project") == [emulator]
    assert running.below(tmp_path / "pro") == []


def test_worker_has_the_environment_but_serves_no_port_and_is_no_emulator(emulator, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "listens", lambda pid, port: False)
    assert running.at_port(PORT) is None
    assert running.below(tmp_path) == []
