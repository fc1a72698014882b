"""How a deployment uses the answers of terraform. Terraform is a fake that runs nothing."""

import json
import types

import pytest

from event_harness.aws.targets import Target
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import DestroyError, SettingError

TOOLS = types.SimpleNamespace(kind="terraform")


@pytest.fixture
def deployment(tmp_path, monkeypatch):
    """A deployment in eu-west-1 of which terraform tells the outputs that `outputs` holds."""
    (tmp_path / "main.tf").write_text('output "event_harness" {\n  value = null\n}\n')
    record = DeploymentRecord.create(tmp_path / "state", root=tmp_path, target="local")
    one = Deployment(tmp_path, Target.local("http://127.0.0.1:9", "eu-west-1"), TOOLS, record)
    one.outputs = {}

    def execute_command(*_command):
        values = {name: {"value": value} for name, value in one.outputs.items()}
        return types.SimpleNamespace(out=json.dumps(values))

    monkeypatch.setattr(one, "_terraform", lambda: types.SimpleNamespace(execute_command=execute_command))
    return one


def test_system_in_another_region_than_the_harness_looks_in_is_refused_with_the_remedy(deployment):
    deployment.outputs = {"event_harness": {"schema": 1, "region": "us-east-1"}}
    with pytest.raises(SettingError) as error:
        deployment.system()
    assert str(error.value) == (
        "Terraform has deployed to us-east-1, as its configuration says, but the harness looks in eu-west-1: "
        "set --harness-region=us-east-1 (harness_region in the ini file)"
    )


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"queue": "q"},
        {"event_harness": {"schema": 1, "region": "eu-west-1"}},
        {"event_harness": "no map"},
    ],
    ids=["no output", "no map", "a map of this region", "a map that is none"],
)
def test_system_that_names_no_other_region_is_taken_where_the_harness_looks(deployment, outputs):
    deployment.outputs = outputs
    assert deployment.system().outputs == outputs


def test_error_of_the_test_stays_the_one_to_be_seen_when_destroy_fails_too(deployment, monkeypatch):
    said = []

    def destroy():
        raise DestroyError("2 resources are left")

    monkeypatch.setattr(deployment, "apply", lambda: None)
    monkeypatch.setattr(deployment, "destroy", destroy)
    monkeypatch.setattr(deployment, "say", said.append)
    with pytest.raises(ZeroDivisionError) as error, deployment:
        _ = 1 / 0
    assert error.value.__notes__ == said == ["2 resources are left"]
    with pytest.raises(DestroyError, match="2 resources are left"), deployment:
        pass
