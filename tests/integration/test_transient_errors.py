"""Apply and destroy continue from their state when a connection breaks, and end at a user's own error."""

from pathlib import Path

import pytest

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import DeploymentError
from event_harness.orphans.inventory import inventory
from event_harness.terraform import toolchain
from resilience.fault_injection import FaultInjection

# Without retries of its own, the provider reports the first broken connection.
ROOT = """
provider "aws" {
  max_retries = 1
}

resource "aws_dynamodb_table" "first" {
  name         = "first-${terraform.workspace}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_sqs_queue" "second" {
  name       = "second-${terraform.workspace}"
  depends_on = [aws_dynamodb_table.first]
}
"""
BROKEN = {"service": "sqs", "reset": True}


@pytest.fixture(scope="module")
def injected(tmp_path_factory):
    place = tmp_path_factory.mktemp("injected")
    with (
        LocalEmulator.start(place / "aws") as aws,
        FaultInjection(aws.target(), place / "log") as one,
    ):
        yield one


@pytest.fixture
def deployment(tmp_path, injected):
    def make(root_text=ROOT):
        root = tmp_path / "root"
        root.mkdir()
        (root / "main.tf").write_text(root_text)
        target = Target.emulator(injected.url)
        record = DeploymentRecord.create(
            tmp_path / "state", root=root, target=target.name, endpoint_url=target.endpoint_url
        )
        said = []

        def say(line: str) -> None:
            said.append(line)
            if "transient error" in line:
                injected.inject()  # the network works again

        return Deployment(root, target, toolchain.find(target="local"), record, say=say), said

    return make


def test_apply_and_destroy_continue_when_the_connection_works_again(injected, deployment):
    one, said = deployment()
    injected.inject(BROKEN)
    system = one.apply()
    assert len(inventory(system.target, part=system.deployment_id)) == 2
    (line,) = [line for line in said if "transient error" in line]
    assert line.startswith("terraform apply failed with a transient error and continues (attempt 2 of 3): ")
    assert log(one, 2).count("aws_dynamodb_table.first: Creating") == 0  # the first attempt has made it

    said.clear()
    injected.inject(BROKEN)
    one.destroy()
    assert [line.partition(" and ")[0] for line in said if "transient" in line] == [
        "terraform destroy failed with a transient error"
    ]
    assert inventory(system.target, part=system.deployment_id) == []


def test_error_of_the_user_ends_apply_at_once_and_names_the_provider(injected, deployment):
    one, said = deployment(ROOT.replace("second-${", "no such name ${"))
    injected.inject()
    with pytest.raises(DeploymentError, match="hashicorp/aws") as caught:
        one.apply()
    assert "no such name" in str(caught.value)
    assert [line for line in said if "transient" in line] == []
    assert inventory(Target.emulator(injected.url), part=one.record.deployment_id) == []


def log(deployment: Deployment, attempt: int) -> str:
    """What an attempt of apply has printed."""
    logs = sorted(Path(deployment.record.logs).glob("*-apply.log"))
    return logs[attempt - 1].read_text(encoding="utf-8")
