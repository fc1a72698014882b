"""Providers that serve a whole command of terraform; small programs stand in for both."""

import json
import os
import stat
import sys
from pathlib import Path

import psutil
import pytest

from event_harness.errors import DeploymentError
from event_harness.machine import temporary
from event_harness.terraform.command import Terraform
from event_harness.terraform.provider_3_39 import archive_provider
from event_harness.terraform.provider_servers import VARIABLE, Provider, Servers, servable

HOST = "registry.terraform.io"
AWS, ARCHIVE = f"{HOST}/hashicorp/aws", f"{HOST}/hashicorp/archive"
NAMES = {"aws": "3.39.0", "archive": "2.7.1"}
ONE = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
EAST = 'provider "aws" {\n  alias  = "east"\n  region = "us-east-1"\n}\n'
EACH = 'provider "aws" {\n  for_each = toset(["eu-west-1"])\n  region   = each.value\n}\n'
RENAMED = """
terraform {
  required_providers {
    amazon = {
      source = "hashicorp/aws"
    }
  }
}

provider "amazon" {
  alias = "east"
}
"""
CALL = 'module "a" {\n  source = "./a"\n}\n'
LONG = "import time; time.sleep(600)"


@pytest.fixture
def initialised(tmp_path):
    """A function that writes a configuration with a module, as terraform init leaves it."""

    def make(root, module="", *, lock=True):
        configuration, data = tmp_path / "config", tmp_path / "data"
        (configuration / "a").mkdir(parents=True)
        (configuration / "main.tf").write_text(root + CALL)
        (configuration / "a" / "main.tf").write_text(module or "locals {}\n")
        (data / "modules").mkdir(parents=True)
        modules = [{"Key": "", "Source": "", "Dir": "."}, {"Key": "a", "Source": "./a", "Dir": "a"}]
        (data / "modules" / "modules.json").write_text(json.dumps({"Modules": modules}))
        locked = ""
        for name, version in NAMES.items():
            locked += f'provider "{HOST}/hashicorp/{name}" {{\n  version = "{version}"\n}}\n'
            for installed in (version, "0.0.1"):
                home = data / "providers" / HOST / "hashicorp" / name / installed / "linux_amd64"
                home.mkdir(parents=True)
                (home / f"terraform-provider-{name}_v{installed}").touch()
        if lock:
            (configuration / ".terraform.lock.hcl").write_text(locked)
        return configuration, data

    return make


@pytest.mark.parametrize(
    ("root", "module", "served"),
    [
        (ONE, "", [AWS, ARCHIVE]),
        ("", "", [AWS, ARCHIVE]),
        (EAST, "", [ARCHIVE]),
        (ONE + EAST, "", [ARCHIVE]),
        (RENAMED, "", [ARCHIVE]),
        ("", ONE, [ARCHIVE]),
        (ONE, EAST, [ARCHIVE]),
        (ONE, "locals {", []),
        (EACH, "", [ARCHIVE]),
    ],
    ids=[
        *("one", "implied", "alias", "two", "renamed", "of a module", "two in all", "unreadable"),
        "one for each region, in OpenTofu",
    ],
)
def test_provider_with_one_configuration_can_be_served(initialised, root, module, served):
    found = servable(*initialised(root, module))
    assert [one.address for one in found] == served


def test_locked_version_is_served(initialised):
    found = servable(*initialised(ONE))
    assert [one.executable.name for one in found] == [
        "terraform-provider-aws_v3.39.0",
        "terraform-provider-archive_v2.7.1",
    ]
    assert all(one.executable.exists() for one in found)


def test_without_a_lock_file_nothing_is_served(initialised):
    assert servable(*initialised(ONE, lock=False)) == []


@pytest.fixture
def program(tmp_path):
    """A function that writes an executable."""

    def make(name, text, *, executable=True):
        path = tmp_path / name
        first_line = f'#!/usr/bin/env -S "{sys.executable}"'
        path.write_text(f"{first_line}\nimport json, os, sys\n{text}\n")
        if executable:
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


SAYS = f"""
told = {{"Pid": os.getpid(), "Addr": {{"String": os.getcwd()}}}}
told |= {{"Arguments": sys.argv[1:], "Mark": os.environ["MARK"]}}
print("Started. Set:\\n\\n\\t{VARIABLE}='" + json.dumps({{"its own address": told}}) + "'", flush=True)
"""


@pytest.fixture
def servers(tmp_path):
    def make(*executables):
        directory = tmp_path / "work"
        directory.mkdir(exist_ok=True)
        environ = {"PATH": os.environ["PATH"], "TMPDIR": str(short), "MARK": "ours"}
        providers = [Provider(f"host/{path.name}", path) for path in executables]
        return Servers(providers, environ, directory)

    inside = tmp_path / "temporary"
    short = temporary.make(inside)
    yield make
    temporary.delete(inside)


def told(running):
    return json.loads(running.variables[VARIABLE])


def test_provider_serves_under_the_address_that_terraform_knows_it_by(servers, program, tmp_path):
    with servers(program("aws", SAYS + LONG)) as running:
        one = told(running)["host/aws"]
        assert one["Arguments"] == ["-debug"]
        assert one["Mark"] == "ours"
        assert one["Addr"] == {"String": str(tmp_path / "work")}
        assert psutil.pid_exists(one["Pid"])
    assert not psutil.pid_exists(one["Pid"])


@pytest.mark.parametrize(
    "text",
    ["sys.exit('unknown flag: -debug')", f"print(\"{VARIABLE}='no JSON'\")", "pass"],
    ids=["fails", "prints something else", "ends"],
)
def test_provider_that_cannot_serve_is_left_to_terraform(servers, program, text):
    good = program("good", SAYS + LONG)
    with servers(program("bad", text), good, program("not_executable", "", executable=False)) as running:
        assert list(told(running)) == ["host/good"]
    with servers(program("bad", text)) as running:
        assert running.variables == {}


def test_all_are_ended_if_the_start_is_interrupted(servers, program, monkeypatch):
    starting, started = servers(program("slow", LONG)), []

    def interrupted(_seconds):
        started.extend(one.process.pid for one in starting._running)
        raise KeyboardInterrupt

    monkeypatch.setattr("event_harness.terraform.provider_servers.interrupts.pause", interrupted)
    with pytest.raises(KeyboardInterrupt), starting:
        pytest.fail("it has not announced itself")
    assert len(started) == 1
    assert not psutil.pid_exists(started[0])


def test_archive_serves(servers, tmp_path):
    path = tmp_path / "archive"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -E -P "{archive_provider.__file__}" "$@"\n')
    path.chmod(0o755)
    with servers(path) as running:
        one = told(running)["host/archive"]
        assert one["ProtocolVersion"] == 6
        assert Path(one["Addr"]["String"]).is_socket()


UNTIL_IT_HAS_ENDED = f"""
import psutil, time
(one,) = json.loads(os.environ["{VARIABLE}"]).values()
while psutil.Process(one["Pid"]).status() != psutil.STATUS_ZOMBIE:
    time.sleep(0.01)
"""


@pytest.fixture
def terraform(program, tmp_path):
    """A function that makes a terraform, which prints its variable, served by one provider."""

    def make(provider, *, code=0, before="pass"):
        text = f"print(os.environ.get('{VARIABLE}'))\n{before}\nsys.exit({code})"
        binary = program("terraform", text)
        return Terraform(
            tmp_path,
            binary=binary,
            environ={"PATH": os.environ["PATH"], "MARK": "ours"},
            logs=tmp_path / "logs",
            serve=lambda: [Provider("host/aws", provider)],
        )

    return make


def test_commands_that_start_providers_several_times_are_served(terraform, program):
    one = terraform(program("aws", SAYS + LONG))
    for command in ("plan", "apply", "destroy"):
        assert "host/aws" in one.execute_command(command).out
    for command in ("init", "output", "version"):
        assert one.execute_command(command).out == "None\n"


def test_error_holds_what_a_provider_has_said_that_has_crashed(terraform, program):
    crashing = program("aws", SAYS + "sys.exit('panic: nil pointer')")
    with pytest.raises(DeploymentError) as raised:
        terraform(crashing, code=1, before=UNTIL_IT_HAS_ENDED).execute_command("apply")
    log = Path(str(raised.value).rpartition("[")[2].partition("]")[0])
    assert "panic: nil pointer" in log.read_text()
