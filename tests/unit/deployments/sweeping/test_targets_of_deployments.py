"""Where a dead deployment was deployed to, and by what."""

import sys
from pathlib import Path

import pytest

from event_harness.aws.identities import Identity
from event_harness.aws.targets import Target
from event_harness.deployments import recorded_toolchain, sweep
from event_harness.deployments import session as session_module
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import ToolchainError
from event_harness.settings import Settings
from event_harness.terraform.toolchain import Toolchain


def test_deployment_on_an_emulator_that_is_gone_counts_as_destroyed(dead, state, said, monkeypatch):
    record = dead(stage="applied", endpoint_url="http://127.0.0.1:9")
    gone = sweep.EmulatorGoneError("nobody listens")
    monkeypatch.setattr(Target, "check", lambda self: (_ for _ in ()).throw(gone))
    assert sweep.sweep(state, say=said) == 0
    assert "is gone" in said[0]
    assert not record.directory.exists()


def test_emulator_that_does_not_answer_keeps_record_and_state(dead, state, said, monkeypatch):
    record = dead(stage="applied", endpoint_url="http://127.0.0.1:9")
    hanging = sweep.EmulatorError("read timed out")
    monkeypatch.setattr(Target, "check", lambda self: (_ for _ in ()).throw(hanging))
    assert sweep.sweep(state, say=said) == 1
    assert DeploymentRecord.load(record.directory).stage == "applied"
    assert said == [
        f"{record.deployment_id}: its record and state are kept until it can be destroyed: read timed out; "
        f"if the emulator is gone for ever, delete {record.directory}"
    ]


def test_deployment_is_not_swept_with_the_credentials_of_another_account(dead, state, said, monkeypatch):
    """Its state would be refreshed there, where nothing of it is, and lost."""
    record = dead(stage="applied", target="aws", region="eu-west-1", account="111111111111")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(Target, "check", lambda self: Identity("222222222222", "me"))
    assert sweep.sweep(state, say=said) == 1
    assert record.directory.exists()
    assert said == [
        f"{record.deployment_id}: it was deployed to account 111111111111, but the credentials belong to"
        " account 222222222222: use credentials of 111111111111 (AWS_PROFILE)"
    ]


def test_account_of_the_deployment_is_recorded(tmp_path, state, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(Target, "check", lambda self: Identity("111111111111", "me"))
    monkeypatch.setattr(session_module.toolchain, "find", lambda *_, **__: None)

    class FakeDeployment:
        def __init__(self, *_, **__):
            pass

        def apply(self):
            (record,) = sweep.records.recorded(state)
            return record.account

    monkeypatch.setattr(session_module, "Deployment", FakeDeployment)
    settings = Settings({"target": "aws", "region": "eu-west-1"})
    assert session_module.Session(settings, tmp_path).system() == "111111111111"


def test_record_stays_when_the_account_cannot_be_reached(dead, state, said, monkeypatch):
    record = dead(stage="applied", target="aws", region="eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    expired = sweep.HarnessError("the AWS credentials have expired")
    monkeypatch.setattr(Target, "check", lambda self: (_ for _ in ()).throw(expired))
    assert sweep.sweep(state, say=said) == 1
    assert record.directory.exists()
    assert said == [f"{record.deployment_id}: the AWS credentials have expired"]


TOOLS = Toolchain(Path("/bin/terraform"), "terraform", "1.9", "registry", Path("c"))


@pytest.mark.parametrize("there", [True, False])
def test_deployment_is_destroyed_with_the_terraform_of_its_apply_if_it_still_exists(
    dead, state, tmp_path, monkeypatch, there
):
    monkeypatch.delenv("EVENT_HARNESS_TERRAFORM", raising=False)
    binary = tmp_path / "terraform-9"
    if there:
        binary.touch()
    dead(terraform=str(binary), providers="registry")
    asked = []
    monkeypatch.setattr(
        recorded_toolchain.toolchain,
        "find",
        lambda setting, **settings: asked.append((setting, settings["providers"])) or TOOLS,
    )
    (recorded,) = sweep.records.recorded(state)
    recorded_toolchain.recorded_toolchain(recorded)
    assert asked == [(str(binary) if there else None, "registry")]


def test_terraform_from_the_environment_wins_over_the_recorded_one(dead, monkeypatch):
    monkeypatch.setenv("EVENT_HARNESS_TERRAFORM", "/nowhere/tofu")
    with pytest.raises(ToolchainError, match="EVENT_HARNESS_TERRAFORM"):
        recorded_toolchain.recorded_toolchain(dead(terraform=sys.executable, providers="registry"))
