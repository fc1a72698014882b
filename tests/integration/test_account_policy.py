"""The policy for a real account, docs/aws-role-policy.json, allows everything that the harness does there.

The tests run on the local AWS emulator with its authorization on, as a user who has only this policy. For an
example, the user also has the statements that the example's README lists.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from emulated_user import ACCESS_KEY, SECRET_KEY, work_as
from projects import TOOLCHAIN

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.ownership import new_deployment_id
from event_harness.aws.targets import Target
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.orphans.inventory import inventory
from event_harness.orphans.orphans import find, remove_all
from event_harness.terraform import toolchain

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
POLICY = ROOT / "docs" / "aws-role-policy.json"
ACCOUNT = "000000000000"
NO_CREDENTIALS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# The local AWS emulator can't tell the resource of these calls: here the statements apply to all resources.
WITHOUT_RESOURCE = {
    "Functions": "lambda:CreateFunction names the function in its body",
    "ResultsTable": "dynamodb:ListTagsOfResource names the table by its ARN",
    "Topic": "sns:ListTagsForResource names the topic by its ARN",
    "BusAndRules": "events:CreateEventBus names the bus in its body",
    "EventSourceMappings": "there is no lambda:FunctionArn to be a condition",
}


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    """A target with all permissions. The account also holds resources of somebody else."""
    directory = tmp_path_factory.mktemp("account-policy") / "aws"
    with LocalEmulator.start(
        directory, auth=True, environ={"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.01"}
    ) as aws:
        target = Target.local(aws.endpoint_url)
        target.client("iam").create_role(RoleName="another", AssumeRolePolicyDocument="{}")
        target.client("logs").create_log_group(logGroupName="/another")
        yield target


def user_with(policy, owner):
    """Return the access key of a new user with a policy (JSON, with ACCOUNT in it)."""
    policy = json.loads(policy.replace("ACCOUNT", ACCOUNT))
    for statement in policy["Statement"]:
        if statement["Sid"] in WITHOUT_RESOURCE:
            statement["Resource"] = "*"
            statement.pop("Condition", None)
    iam, name = owner.client("iam"), f"deployer-{new_deployment_id()}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {ACCESS_KEY: key["AccessKeyId"], SECRET_KEY: key["SecretAccessKey"]}


@pytest.fixture
def user(owner):
    return user_with(POLICY.read_text(encoding="utf-8"), owner)


@pytest.fixture
def deployer(owner, user, monkeypatch):
    """The target with that user's credentials."""
    work_as(user, monkeypatch)
    target = Target.local(owner.endpoint_url)
    assert target.check().arn.startswith(f"arn:aws:iam::{ACCOUNT}:user/deployer-")
    return target


def run_pytest(directory, *arguments, **environ):
    """Run pytest in a directory and return its output; no test may fail."""
    usual = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "EVENT_HARNESS_", "AWS_"))}
    kept = {name: text for name, text in os.environ.items() if name in TOOLCHAIN}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=directory,
        env=usual | kept | {"PYTHONPATH": str(HERE)} | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def as_user(owner):
    """Return the options with which pytest works as the user whose key is in its environment."""
    return ("-p", "emulated_user", f"--harness-target={owner.endpoint_url}")


def test_policy_suffices_for_every_test_that_runs_on_a_real_account(owner, user):
    """So the policy covers the name of everything that they deploy."""
    before = inventory(owner)
    marked = ("-v", "-m", "real_account", str(HERE))
    printed = run_pytest(ROOT, *as_user(owner), *marked, **user)
    assert "skipped" not in printed
    for name in ("test_text_processor.py", "test_deployment.py", "test_sweep.py"):
        assert name in printed
    assert inventory(owner) == before


def test_no_other_test_runs_on_a_real_account():
    """Each of the others would fail, since it has no credentials."""
    others = ("-m", "not real_account", str(HERE))
    printed = run_pytest(ROOT, "--harness-target=aws", *others, **NO_CREDENTIALS)
    assert "not marked real_account: it needs an emulator" in printed
    assert " passed" not in printed


@pytest.mark.parametrize(("example", "prefix"), [("orders", "orders"), ("projection", "crm")])
def test_policy_suffices_for_an_example_with_the_statements_of_its_readme(owner, example, prefix):
    before, directory = inventory(owner), ROOT / "examples" / example
    readme = (directory / "README.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^```json\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    policy = json.loads(POLICY.read_text(encoding="utf-8").replace("shout-", f"{prefix}-"))
    policy["Statement"] += json.loads(listed)
    run_pytest(directory, *as_user(owner), **user_with(json.dumps(policy), owner))
    assert inventory(owner) == before


def test_policy_suffices_to_sweep_by_tag(deployer, owner, tmp_path):
    before = inventory(owner)
    record = DeploymentRecord.create(tmp_path, root=ROOT, target="local", endpoint_url=deployer.endpoint_url)
    tools = toolchain.find(target="local")
    system = Deployment(ROOT, deployer, tools, record, variables={"deploy_test_resources": False}).apply()
    assert [one.deployment_id for one in find(deployer)] == [system.deployment_id]
    assert remove_all(deployer, system.deployment_id, lambda _line: None) == []
    assert inventory(owner) == before
    record.delete()  # terraform would look for the removed resources for a long time
