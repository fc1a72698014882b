"""A person's own terraform and boto3 in the root, between `event-harness up` and `event-harness down`."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from event_harness.aws import supervisor as supervisor
from event_harness.aws.emulator import LocalEmulator
from event_harness.deployments.up import down
from event_harness.machine import ports
from event_harness.terraform import toolchain
from event_harness.terraform.generated import OVERRIDE

ROOT = """
variable "deploy_test_resources" {
  type    = bool
  default = false
}

provider "aws" {}

resource "aws_s3_bucket" "this" {
  bucket_prefix = "mine-"
}

resource "aws_sns_topic" "this" {
  count = var.deploy_test_resources ? 1 : 0
  name  = "mine-${terraform.workspace}"
}

output "bucket" {
  value = aws_s3_bucket.this.bucket
}
"""

# A stranger's script: nothing in it knows of an emulator.
SCRIPT = "import boto3; print([bucket['Name'] for bucket in boto3.client('s3').list_buckets()['Buckets']])"


@pytest.fixture
def root(tmp_path):
    directory = tmp_path / "a root"
    directory.mkdir()
    (directory / "main.tf").write_text(ROOT)
    yield directory
    down(directory, say=lambda line: None)


@pytest.fixture
def harness(root):
    """Runs `event-harness` in the root, as a person does, and returns what it says."""

    def run(*arguments, code=0):
        program = "import sys; from event_harness.cli import main; sys.exit(main(sys.argv[1:]))"
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=root, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


@pytest.fixture
def shell(root):
    """Runs lines in a shell of a person with a real account, after `. .event-harness/env`."""
    terraform = toolchain.find(target="local").binary.name

    def run(lines):
        environ = {**os.environ, "AWS_PROFILE": "production", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
        done = subprocess.run(
            ["/bin/sh", "-euc", f". .event-harness/env\n{lines.replace('terraform', terraform)}"],
            cwd=root,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_own_terraform_and_boto3_work_from_up_to_down(root, harness, shell):
    (root / "terraform.tfstate").write_text('{"a state": "of a real account"}')
    assert "the local AWS emulator is up at http://127.0.0.1:" in harness("up")
    assert "is up already" in harness("up")

    shell("terraform init -no-color -input=false")
    shell("terraform apply -no-color -auto-approve -var deploy_test_resources=true")
    bucket = shell("terraform output -raw bucket")
    assert shell(f'"{sys.executable}" -c "{SCRIPT}"') == f"['{bucket}']\n"
    assert "Resources: 2 destroyed" in shell(
        "terraform destroy -no-color -auto-approve -var deploy_test_resources=true"
    )
    assert shell(f'"{sys.executable}" -c "{SCRIPT}"') == "[]\n"

    assert "has ended" in harness("down")
    assert "no local AWS emulator is up here" in harness("down")
    assert supervisor.processes_of(root / ".event-harness" / "up") == []
    assert {path.name for path in root.iterdir()} <= {
        "main.tf",
        ".event-harness",
        ".terraform",
        "terraform.tfstate",
        ".terraform.lock.hcl",
    }
    assert json.loads((root / "terraform.tfstate").read_text()) == {"a state": "of a real account"}


def test_taken_port_is_one_line_and_nothing_is_left(root, harness):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = harness("up", "--port", str(port), code=1)
    assert said.startswith(f"event-harness: port {port} is taken by ")
    assert said.count("\n") == 1
    assert LocalEmulator.find(root / ".event-harness" / "up") is None
    assert not (root / OVERRIDE).exists()


def test_up_after_a_crash_starts_anew(root, harness):
    harness("up")
    directory = root / ".event-harness" / "up"
    for process in supervisor.processes_of(directory):
        process.kill()
    harness("up")
    assert LocalEmulator.find(directory).alive()


def override_is_gone(root):
    """Whether it goes by itself, within a minute: a busy machine needs a while."""
    deadline = time.monotonic() + 60
    while (root / OVERRIDE).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not (root / OVERRIDE).exists()


@pytest.mark.parametrize("moved", [False, True])
def test_override_goes_with_the_emulator_that_was_killed(root, harness, moved, tmp_path):
    harness("up")
    aws = LocalEmulator.find(root / ".event-harness" / "up")
    assert (root / OVERRIDE).exists()
    now = root.rename(tmp_path / "moved") if moved else root
    os.kill(aws.pid, signal.SIGKILL)
    assert override_is_gone(now)
    if moved:
        now.rename(root)


def test_up_that_was_killed_half_way_leaves_no_override_and_no_emulator(root, tmp_path):
    """It writes the override, and doesn't come to its end."""
    script = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from event_harness.deployments import up, up_shell\n"
        "up_shell.going_in = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "up.up(Path.cwd(), say=lambda line: print(line, flush=True))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert f"written: {OVERRIDE}" in done.stdout
    assert override_is_gone(root)
    directory = root / ".event-harness" / "up"
    deadline = time.monotonic() + 60
    while supervisor.processes_of(directory) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not supervisor.processes_of(directory)


def test_next_command_deletes_the_override_if_all_was_killed_at_once(root, harness):
    """As by a loss of power: nothing of the emulator had a chance to clear up."""
    harness("up")
    processes = supervisor.processes_of(root / ".event-harness" / "up")
    for process in processes:
        process.suspend()
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=60)
    assert (root / OVERRIDE).exists()
    harness("list")
    assert not (root / OVERRIDE).exists()
    assert not (root / ".event-harness" / "env").exists()


def is_up(port):
    return not ports.is_free(port)


def test_down_ends_the_emulator_of_a_project_that_was_moved(root, harness, tmp_path):
    harness("up")
    port = LocalEmulator.find(root / ".event-harness" / "up").port
    moved = root.rename(tmp_path / "moved")
    said = []
    down(moved, say=said.append)
    assert "has ended" in said[0]
    assert not is_up(port)
    assert not (moved / "event_harness_override.tf.json").exists()


@pytest.mark.parametrize("command", ["up", "down", "sweep"])
def test_emulator_whose_records_were_deleted_is_ended(root, harness, command):
    """As by `git clean -fdx`."""
    harness("up")
    port = LocalEmulator.find(root / ".event-harness" / "up").port
    shutil.rmtree(root / ".event-harness")
    harness(command)
    assert not is_up(port)


def test_down_below_the_project_finds_it(root, harness):
    harness("up", "--iam", "off")  # docs/permissions.md
    (root / "modules" / "one").mkdir(parents=True)
    program = "import sys; from event_harness.cli import main; sys.exit(main(['down']))"
    said = subprocess.check_output([sys.executable, "-c", program], cwd=root / "modules" / "one", text=True)
    assert "has ended" in said
