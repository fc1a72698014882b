"""The stand-in for hashicorp/archive, as Terraform itself uses it."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from event_harness.terraform import cli_config, toolchain
from event_harness.terraform.provider_3_39 import mirror as providers

CONFIGURATION = """
resource "terraform_data" "path" {
  input = "${path.module}/out/late.zip"
}

data "archive_file" "early" {
  type        = "zip"
  source_dir  = "${path.module}/source"
  excludes    = ["**/__pycache__/**"]
  output_path = "${path.module}/out/early.zip"
}

data "archive_file" "late" {
  type        = "zip"
  output_path = terraform_data.path.output

  source {
    content  = "a"
    filename = "a.txt"
  }
  source {
    content  = "b"
    filename = "b.txt"
  }
}

resource "archive_file" "kept" {
  for_each    = toset(["kept"])
  type        = "zip"
  source_dir  = "${path.module}/source"
  excludes    = ["**/__pycache__/**"]
  output_path = "${path.module}/out/${each.key}.zip"
}

output "sums" {
  value = [data.archive_file.early.output_base64sha256, data.archive_file.late.output_base64sha256]
}

output "kept" {
  value = values(archive_file.kept)[*].output_base64sha256
}
"""


@pytest.fixture(scope="module")
def tools():
    return toolchain.find(target="local")


@pytest.fixture
def terraform(tools, tmp_path):
    """Starts terraform in a root whose only provider is ours."""
    root = tmp_path / "root"
    (root / "source" / "__pycache__").mkdir(parents=True)
    (root / "source" / "handler.py").write_text("handler = 1\n")
    (root / "source" / "__pycache__" / "handler.pyc").write_text("x")
    (root / "main.tf").write_text(CONFIGURATION)
    # The mirror itself, without the 75 MB of the other provider.
    (tmp_path / "cache" / "aws").mkdir(parents=True)
    mirror = providers._assemble(tmp_path / "cache", tmp_path / "cache" / "aws", sys.executable)
    mirrored = replace(tools, providers="mirror", cli_config=cli_config.for_mirror(mirror))
    (tmp_path / "users").mkdir()
    environ = os.environ | {"TF_PLUGIN_CACHE_DIR": str(tmp_path / "users")} | mirrored.environ()

    def start(*arguments):
        return subprocess.Popen(
            [tools.binary, *arguments],
            cwd=root,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(*arguments, code=0):
        with start(*arguments) as process:
            said = process.communicate()[0]
        assert process.returncode == code, said
        return said

    run.root, run.start = root, start
    run("init", "-no-color")
    return run


def test_plan_is_empty_until_a_file_changes(terraform):
    terraform("apply", "-auto-approve", "-no-color")
    before = json.loads(terraform("output", "-json", "sums"))
    (terraform.root / "source" / "handler.py").touch()
    (terraform.root / "source" / "__pycache__" / "handler.pyc").write_text("y")
    terraform("plan", "-detailed-exitcode")
    (terraform.root / "source" / "handler.py").write_text("handler = 2\n")
    terraform("plan", "-detailed-exitcode", code=2)
    terraform("apply", "-auto-approve", "-no-color")
    after = json.loads(terraform("output", "-json", "sums"))
    assert after[0] != before[0]
    assert after[1] == before[1]
    assert json.loads(terraform("output", "-json", "kept")) == after[:1]


def test_resource_is_destroyed_when_its_source_is_gone(terraform):
    terraform("apply", "-auto-approve", "-no-color")
    assert (terraform.root / "out/kept.zip").is_file()
    (terraform.root / "source").rename(terraform.root / "elsewhere")
    terraform("destroy", "-auto-approve", "-no-color", "-target=archive_file.kept")


def test_missing_source_is_an_error_of_the_data_source(terraform):
    (terraform.root / "source").rename(terraform.root / "elsewhere")
    said = " ".join(terraform("plan", "-no-color", code=1).split())
    assert "Archive creation error" in said
    assert "could not archive missing directory: source" in said


def test_unknown_argument_is_refused_with_its_place(terraform):
    main = terraform.root / "main.tf"
    main.write_text(CONFIGURATION.replace("excludes ", "excluded "))
    assert 'An argument named "excluded" is not expected here' in terraform("validate", "-no-color", code=1)


def test_stand_in_does_not_get_into_the_users_plugin_cache(terraform, tmp_path):
    assert (terraform.root / ".terraform" / "providers").is_dir()
    assert list((tmp_path / "users").iterdir()) == []


def test_own_cli_configuration_is_one_that_terraform_understands(tools, tmp_path):
    environ = os.environ | tools.environ() | {"TF_CLI_CONFIG_FILE": str(cli_config.for_registry(tmp_path))}
    done = subprocess.run([tools.binary, "version"], env=environ, capture_output=True, text=True, check=True)
    assert "Warning" not in done.stdout + done.stderr


def test_provider_does_not_outlive_a_terraform_that_was_killed(terraform):
    """Even while it reads: here a pipe that nobody writes to."""
    os.mkfifo(terraform.root / "source" / "pipe")
    with terraform.start("plan", "-no-color") as process:
        for line in process.stdout:
            if "archive_file.early: Reading" in line:
                break
        served = psutil.Process(process.pid).children(recursive=True)
        assert served
        process.kill()
    deadline = time.monotonic() + 120
    while (left := [p for p in served if p.is_running()]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [p for p in left if p.status() != psutil.STATUS_ZOMBIE]
