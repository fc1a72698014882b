"""The policy for a real account, docs/aws-role-policy.json, lets the harness do all that it does.

On the embedded AWS with its authorization on, as a user who has this policy and nothing else.
"""

import json
from pathlib import Path

import pytest

from event_harness import overrides, toolchain
from event_harness.census import census
from event_harness.deployment import Deployment
from event_harness.embedded_aws import EmbeddedAws
from event_harness.errors import WaitTimeoutError
from event_harness.leftovers import remains, remove_remains
from event_harness.listener import Listener
from event_harness.producers import producers_for
from event_harness.runs import Run, new_run_id
from event_harness.targets import Target

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "docs" / "aws-role-policy.json"
ACCOUNT = "000000000000"
# Statements of whose calls the embedded AWS can't tell the resource: here they apply to all.
WITHOUT_RESOURCE = {
    "Functions": "lambda:CreateFunction names the function in its body",
    "ResultsTable": "dynamodb:ListTagsOfResource names the table by its ARN",
}


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    """Who may do anything. Somebody else's things are in the account, too."""
    directory = tmp_path_factory.mktemp("account-policy") / "aws"
    with EmbeddedAws.start(directory, auth=True, environ={"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.01"}) as aws:
        target = Target.local(aws.endpoint_url)
        target.client("iam").create_role(RoleName="another", AssumeRolePolicyDocument="{}")
        target.client("logs").create_log_group(logGroupName="/another")
        yield target


@pytest.fixture
def deployer(owner, monkeypatch):
    """Who has the policy."""
    policy = json.loads(POLICY.read_text(encoding="utf-8").replace("ACCOUNT", ACCOUNT))
    for statement in policy["Statement"]:
        if statement["Sid"] in WITHOUT_RESOURCE:
            statement["Resource"] = "*"
    iam, name = owner.client("iam"), f"deployer-{new_run_id()}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    monkeypatch.setattr("event_harness.targets.ACCESS_KEY", key["AccessKeyId"])
    monkeypatch.setattr("event_harness.targets.SECRET_KEY", key["SecretAccessKey"])
    settings = overrides._old_provider_settings
    keys = {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}
    monkeypatch.setattr(overrides, "_old_provider_settings", lambda url: settings(url) | keys)
    target = Target.local(owner.endpoint_url)
    assert target.check().arn == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    return target


@pytest.fixture
def deploy(deployer, tmp_path):
    def make(**variables):
        run = Run.create(tmp_path, root=ROOT, target="local", endpoint_url=deployer.endpoint_url)
        return Deployment(ROOT, deployer, toolchain.find(None, target="local"), run, variables=variables)

    return make


def test_it_suffices_to_deploy_to_test_and_to_destroy(deploy, deployer, owner):
    before = census(owner)
    deployment = deploy()
    with deployment as system:
        listener = Listener(system.resources, deployer, new_run_id(), sla=60)
        producer = next(iter(producers_for(listener).values()))
        assert listener.wait_for(producer.send("a text")).text == "A TEXT"
        assert len(listener.wait_for(producer.send("a large text" * 30_000)).body) == 360_000
        assert "not UTF-8" in listener.wait_for_failure(producer.send(b"\xff")).error_message
        with pytest.raises(WaitTimeoutError) as timeout:
            listener.wait_for(producer.send("no text", name="notes.md"), timeout=1)
        assert "not known" not in timeout.value.report.full()
        assert deployment.drift() == []
    assert census(owner) == before


def test_it_suffices_to_sweep_by_tag(deploy, deployer, owner):
    before = census(owner)
    deployment = deploy(deploy_test_resources=False)
    system = deployment.apply()
    assert [one.run_id for one in remains(deployer)] == [system.run_id]
    assert remove_remains(deployer, system.run_id, lambda _line: None) == []
    assert census(owner) == before
    deployment.run.delete()  # terraform would look long for what is gone
