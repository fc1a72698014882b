"""A system as another process of the session gets it."""

from pathlib import Path

import pytest

from event_harness.aws.targets import Target
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
