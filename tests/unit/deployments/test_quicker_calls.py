"""What a deployment on our own emulator spares terraform, which is a fake that writes down its calls."""

import dataclasses
import json
import os
import types

import pytest

from event_harness.aws.targets import Target
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import DeploymentError
from event_harness.terraform.recovery import Failure
from event_harness.terraform.toolchain import Toolchain

STATE = {
    "outputs": {"queue": {"value": "q", "type": "string"}},
    "resources": [{"mode": "managed", "type": "aws_sqs_queue", "name": "a", "instances": [{}]}],
}


class FakeTerraform:
    """Writes down its commands; destroys what the state holds, unless it is to fail."""

    def __init__(self, record):
        self.record, self.calls, self.fails = record, [], lambda _arguments: False

    def __call__(self, **_):
        return self

    def execute_command(self, *arguments):
        self.calls.append(arguments)
        if self.fails(arguments):
            raise DeploymentError("terraform failed")
        if arguments[0] == "destroy":
            self.record.state.write_text(json.dumps(STATE | {"resources": []}))
        answer = {"queue": {"value": "told"}} if arguments[0] == "output" else {}
        return types.SimpleNamespace(out=json.dumps(answer), retcode=0)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A function that makes a deployment that was applied, and its fake."""

    def make(shortcuts="on", *, ours=True, main=""):
        (tmp_path / "main.tf").write_text(main)
        record = DeploymentRecord.create(tmp_path / "state", root=tmp_path, target="local")
        record.configuration = "config"
        target = Target.local(
            "http://127.0.0.1:9", "eu-west-1", emulator_log=tmp_path / "log" if ours else None
        )
        tools = Toolchain(tmp_path / "terraform", "terraform", "1.11.4", "mirror", tmp_path / "x.tfrc")
        one = Deployment(tmp_path, target, tools, record, shortcuts=shortcuts)
        record.configuration_dir.mkdir()
        (record.configuration_dir / "main.tf").write_text(main)
        one.calls.data_dir.mkdir()
        fake = FakeTerraform(record)
        monkeypatch.setattr(one.calls, "terraform", fake)
        monkeypatch.setattr("event_harness.deployments.destroy.empty_bucket", lambda *_: None)
        return one, fake

    return make


def applied(one):
    one.record.state.parent.mkdir(parents=True, exist_ok=True)
    one.record.state.write_text(json.dumps(STATE))
    one.record.at("applied")
    one.destroyer.knows_all = True


@pytest.mark.parametrize(("shortcuts", "ours"), [("off", True), ("refresh", True), ("on", False)])
def test_elsewhere_terraform_tells_the_outputs(made, shortcuts, ours):
    one, fake = made(shortcuts, ours=ours)
    applied(one)
    assert one.calls.outputs() == {"queue": "told"}
    assert [call[0] for call in fake.calls] == ["output"]


def test_outputs_come_from_the_state_and_from_terraform_if_it_is_unreadable(made):
    one, fake = made()
    applied(one)
    assert one.calls.outputs() == {"queue": "q"}
    assert fake.calls == []
    one.record.state.write_text('{"encrypted_data": "x"}')
    assert one.calls.outputs() == {"queue": "told"}


REGION = 'variable "region" {\n  type = string\n  default = "us-east-1"\n}\n'
PROVIDER = 'provider "aws" {\n  region = %s\n  profile = local.profile\n}\n'


@pytest.mark.parametrize(
    ("shortcuts", "expression", "asked"),
    [
        ("on", "var.region", 0),
        ("on", "lower(var.region)", 1),
        ("off", "var.region", 1),
    ],
)
def test_terraform_is_asked_for_the_region_only_if_it_is_not_certain(
    made, monkeypatch, shortcuts, expression, asked
):
    monkeypatch.setattr(os, "environ", {})
    one, _ = made(shortcuts, main=REGION + PROVIDER % expression)
    questions = []

    def console(question):
        questions.append(question)
        return json.dumps(json.dumps({"/region": "us-east-1"}))

    monkeypatch.setattr(one.calls, "_console", console)
    one.calls.record_providers("")
    assert len(questions) == asked
    assert one.record.provider_blocks == [{"region": "us-east-1"}]
    assert one.target.region == "us-east-1"


def refreshes(fake):
    return ["-refresh=false" not in call for call in fake.calls if call[0] == "destroy"]


def test_process_that_has_applied_destroys_without_a_refresh(made):
    one, fake = made()
    applied(one)
    one.destroy()
    assert refreshes(fake) == [False]
    assert not one.record.directory.exists()


@pytest.mark.parametrize(
    ("shortcuts", "ours", "knows_all"),
    [("off", True, True), ("code,commands", True, True), ("on", False, True), ("on", True, False)],
)
def test_every_other_destroy_looks_at_each_resource(made, shortcuts, ours, knows_all):
    one, fake = made(shortcuts, ours=ours)
    applied(one)
    one.destroyer.knows_all = knows_all
    one.destroy()
    assert refreshes(fake) == [True]


def test_destroy_looks_at_each_resource_if_it_fails_without(made):
    one, fake = made()
    applied(one)
    fake.fails = lambda arguments: "-refresh=false" in arguments
    one.destroy()
    assert refreshes(fake) == [False, True]
    assert not one.record.directory.exists()


def test_emulator_that_answers_at_another_port_is_written_into_the_configuration(made, tmp_path):
    one, _ = made(main='provider "aws" {\n  region = "eu-west-1"\n}\n')
    there = []
    one.calls._answering = lambda: there.pop() if there else None
    one.calls.await_target()
    assert not list(one.record.configuration_dir.glob("*override*"))
    there.append(Target.local("http://127.0.0.1:10", "eu-west-1", emulator_log=tmp_path / "log"))
    one.calls.await_target()
    assert one.target.endpoint_url == one.record.endpoint_url == "http://127.0.0.1:10"
    written = [file.read_text() for file in one.record.configuration_dir.glob("*override*")]
    assert any("http://127.0.0.1:10" in text for text in written)


@pytest.mark.parametrize(
    ("shortcuts", "ours", "wider"), [("on", True, 1), ("off", True, 0), ("on", False, 0)]
)
def test_terraform_works_at_more_resources_on_our_own_emulator_only(made, shortcuts, ours, wider):
    one, fake = made(shortcuts, ours=ours)
    applied(one)
    assert one.calls.flags().count("-parallelism=32") == wider
    one.destroy()
    assert [call.count("-parallelism=32") for call in fake.calls if call[0] == "destroy"] == [wider]


@pytest.mark.parametrize(
    ("shortcuts", "ours", "kind", "served"),
    [
        ("on", True, "terraform", 1),
        ("off", True, "terraform", 0),
        ("on", False, "terraform", 0),
        ("on", True, "tofu", 0),
    ],
)
def test_providers_serve_commands_of_terraform_on_our_own_emulator_only(
    tmp_path, monkeypatch, shortcuts, ours, kind, served
):
    (tmp_path / "main.tf").touch()
    record = DeploymentRecord.create(tmp_path / "state", root=tmp_path, target="local")
    record.configuration = "config"
    target = Target.local("http://127.0.0.1:9", "eu-west-1", emulator_log=tmp_path / "log" if ours else None)
    tools = Toolchain(tmp_path / kind, kind, "1.11.4", "mirror", tmp_path / "x.tfrc")
    calls = Deployment(tmp_path, target, tools, record, shortcuts=shortcuts).calls
    record.configuration_dir.mkdir()
    found = ["a provider"]
    monkeypatch.setattr("event_harness.terraform.provider_servers.servable", lambda *_: found)
    assert len(calls.terraform()._serve()) == served
    assert len(calls.terraform(directory=tmp_path)._serve()) == 0
    record.delete()  # also its temporary files, which lie outside of tmp_path if its path is long


ASKS = Failure("apply", "", 'Module not installed: run "terraform init" to install all modules')


class FakeMemory:
    """Remembers an init; writes down what is asked of it."""

    def __init__(self):
        self.asked = []

    def forget(self):
        self.asked.append("forget")


@pytest.fixture
def inits(made, monkeypatch):
    """A deployment's initialisation, and the inits that have run."""
    one, _ = made()
    initialisation, ran = one.calls.initialisation, []
    initialisation._remembered = FakeMemory()
    monkeypatch.setattr(initialisation, "_init", lambda: ran.append("init"))
    return initialisation, ran


def test_init_that_was_left_out_runs_once_if_terraform_asks_for_it(inits):
    initialisation, ran = inits
    initialisation.ran = False
    assert initialisation.after_all(ASKS, 0) == "terraform apply asks for init, which has run now"
    assert (ran, initialisation._remembered.asked) == (["init"], ["forget"])
    assert initialisation.after_all(ASKS, 1) is None
    assert ran == ["init"]


@pytest.mark.parametrize(
    ("has_run", "failure"),
    [
        (True, ASKS),
        (False, Failure("apply", "", "AccessDenied: no")),
        (False, dataclasses.replace(ASKS, output="aws_sqs_queue.a: Creation complete after 1s")),
    ],
    ids=["it has run", "another error", "something was created"],
)
def test_init_does_not_run_after_other_failures(inits, has_run, failure):
    """A provisioner may print the words, too."""
    initialisation, ran = inits
    initialisation.ran = has_run
    assert initialisation.after_all(failure, 0) is None
    assert ran == []
