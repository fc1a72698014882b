"""`terraform init` runs for the first deployment of a configuration, and then only if Terraform needs it."""

import json

import pytest

from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.terraform import toolchain


@pytest.fixture
def make(deployment, tmp_path, monkeypatch):
    """A function that makes a deployment of a module with a queue, and what it says."""
    monkeypatch.setattr("event_harness.deployments.initialisation.cache_directory", lambda: tmp_path)
    root = tmp_path / "root"
    (root / "queue").mkdir(parents=True)
    (root / "main.tf").write_text(
        'provider "aws" {}\n\nmodule "orders" {\n  source = "./queue"\n}\n\n'
        'output "queue" {\n  value = module.orders.queue\n}\n'
    )
    (root / "queue" / "main.tf").write_text(
        'resource "aws_sqs_queue" "this" {\n  name = "${terraform.workspace}-orders"\n}\n\n'
        'output "queue" {\n  value = aws_sqs_queue.this.name\n}\n'
    )

    def made(**settings):
        said, target = [], deployment.target
        record = DeploymentRecord.create(
            tmp_path, root=root, target=target.name, endpoint_url=target.endpoint_url
        )
        # With the registry's providers, init would look for newer ones: there is no lock file.
        tools = toolchain.find(target=target.name, providers="mirror")
        return Deployment(root, target, tools, record, say=said.append, **settings), said

    return made


def test_init_runs_once_and_when_terraform_asks_for_it(make, tmp_path):
    first, _ = make()
    first.prepare()
    assert first.calls.initialisation.ran

    # Terraform finds a module of which it was told nothing.
    (memory,) = (tmp_path / "init").iterdir()
    memory.write_text(json.dumps(json.loads(memory.read_text()) | {"modules": '{"Modules": []}'}))
    second, said = make()
    with second as system:
        assert any(line.endswith("copied, no init needed") for line in said)
        assert "terraform apply asks for init, which has run now" in said
        assert system.outputs["queue"] == f"{second.calls.workspace}-orders"

    third, _ = make()
    third.prepare()
    assert not third.calls.initialisation.ran

    fourth, _ = make(shortcuts="code,commands")
    fourth.prepare()
    assert fourth.calls.initialisation.ran
