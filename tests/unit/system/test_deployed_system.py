"""A system as another process of the session gets it."""

from pathlib import Path

import pytest

from event_harness.aws.targets import Target
from event_harness.errors import NoTestResourcesError, ResourceMapError, SettingError
from event_harness.system.deployed_system import DeployedSystem


@pytest.fixture(autouse=True)
def _no_emulator(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.mark.parametrize(
    "target",
    [
        Target.local("http://127.0.0.1:4566", "us-east-1", emulator_log=Path("/here/emulator.log")),
        Target.emulator("http://emulator.example:4566", allow_remote=True),
        Target("aws", "ap-south-1"),
    ],
    ids=["emulator", "emulator elsewhere, which was allowed where it was lent", "aws"],
)
def test_system_that_is_lent_arrives_as_it_was(target):
    system = DeployedSystem("r1", target, {"event_harness": {"schema": 1}, "n": 3}, declares_harness=False)
    assert DeployedSystem.from_json(system.to_json()) == system


@pytest.mark.parametrize(
    ("declared", "error", "told"),
    [
        (True, NoTestResourcesError, "deploy_test_resources = true"),
        (False, ResourceMapError, "the Terraform root has no output 'event_harness'"),
    ],
    ids=["null, which Terraform leaves out", "not declared"],
)
def test_missing_output_is_told_with_what_it_needs(declared, error, told):
    system = DeployedSystem("d1", Target("aws", "ap-south-1"), {"n": 3}, declares_harness=declared)
    with pytest.raises(error, match=told) as caught:
        _ = system.resources
    assert type(caught.value) is error


@pytest.mark.parametrize("described", [{"region": "eu-west-1"}, {"schema": 1}, None])
def test_system_of_the_region_where_the_harness_looks_passes(described):
    DeployedSystem("d1", Target("aws", "eu-west-1"), {"event_harness": described}).check_region()


def test_system_of_another_region_is_refused_with_the_setting():
    system = DeployedSystem("d1", Target("aws", "eu-west-1"), {"event_harness": {"region": "eu-north-1"}})
    with pytest.raises(
        SettingError, match=r"deployed to eu-north-1.* looks in eu-west-1: set --harness-region=eu-n"
    ):
        system.check_region()
