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

import boto3
import pytest
from botocore.exceptions import ClientError
from documented import command_of
from emulated_user import ACCESS_KEY, SECRET_KEY, work_as
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document
from projects import LEAN, TOOLCHAIN
from small_functions import CALL, SmallFunction

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.ownership import new_deployment_id
from event_harness.aws.targets import Target
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.orphans.by_tag import find, remove_all
from event_harness.orphans.inventory import inventory
from event_harness.terraform import toolchain

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "tests" / "integration"
POLICY = ROOT / "docs" / "aws-role-policy.json"
BOUNDARY = ROOT / "docs" / "aws-permissions-boundary.json"
ACCOUNT = "000000000000"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)
EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
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
    environ = {
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.01",
        "PYTHONPATH": str(INTEGRATION / "iam_condition_keys"),  # iam:PermissionsBoundary
    }
    with LocalEmulator.start(directory, auth=True, environ=environ) as aws:
        target = aws.target()
        for prefix in ("shout", "orders", "crm"):
            text = BOUNDARY.read_text(encoding="utf-8").replace("ACCOUNT", ACCOUNT)
            target.client("iam").create_policy(
                PolicyName=f"{prefix}-boundary", PolicyDocument=text.replace("shout-", f"{prefix}-")
            )
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
    target = Target.emulator(owner.endpoint_url)
    assert target.check().arn.startswith(f"arn:aws:iam::{ACCOUNT}:user/deployer-")
    return target


def boundary_of(prefix):
    """Return the ARN of the permissions boundary for names that begin with a prefix."""
    return f"arn:aws:iam::{ACCOUNT}:policy/{prefix}-boundary"


def run_pytest(directory, *arguments, **environ):
    """Run pytest in a directory and return its output; no test may fail."""
    usual = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "EVENT_HARNESS_", "AWS_"))}
    kept = {name: text for name, text in os.environ.items() if name in TOOLCHAIN}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=directory,
        env=usual | kept | LEAN | {"PYTHONPATH": f"{INTEGRATION}{os.pathsep}{LEAN['PYTHONPATH']}"} | environ,
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
    """So the policy covers the name of everything that they deploy, and the functions' roles suffice."""
    bucket = f"event-harness-states-{ACCOUNT}"
    place = {"LocationConstraint": owner.region}
    owner.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    before = inventory(owner)
    marked = ("-v", "-m", "real_account", str(INTEGRATION))
    limited = {"TF_VAR_permissions_boundary": boundary_of("shout")}
    remote = {"EVENT_HARNESS_REMOTE_STATE": f"s3://{bucket}/nightly"}
    printed = run_pytest(ROOT, *as_user(owner), *marked, **user, **limited, **remote)
    assert "skipped" not in printed
    for name in ("test_text_processor.py", "test_deployment.py", "test_sweep.py"):
        assert name in printed
    assert inventory(owner) == before
    assert "Contents" not in owner.client("s3").list_objects_v2(Bucket=bucket)
    owner.client("s3").delete_bucket(Bucket=bucket)


def test_no_other_test_runs_on_a_real_account():
    """Each of the others would fail, since it has no credentials."""
    others = ("-m", "not real_account", str(INTEGRATION))
    printed = run_pytest(ROOT, "--harness-target=aws", *others, **NO_CREDENTIALS)
    assert "not marked real_account: it needs an emulator" in printed
    assert " passed" not in printed


@pytest.mark.parametrize(
    ("example", "prefix", "command"),
    [("orders", "orders", "--harness-target=aws"), ("projection", "crm", "-n 4")],
)
def test_policy_suffices_for_an_example_with_the_statements_of_its_readme(
    owner, pytestconfig, example, prefix, command
):
    """All tests of the example pass, by a command of its README; `make examples` runs them without a policy.

    Their reports lie beside those of this session.
    """
    before, directory = inventory(owner), ROOT / "examples" / example
    program, *options = command_of(f"examples/{example}/README.md", command).split()
    assert program == "pytest"
    there = [option.replace("=aws", f"={owner.endpoint_url}") for option in options]
    readme = (directory / "README.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^```json\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    policy = json.loads(POLICY.read_text(encoding="utf-8").replace("shout-", f"{prefix}-"))
    policy["Statement"] += json.loads(listed)
    limited = {"TF_VAR_permissions_boundary": boundary_of(prefix)}
    written = ()
    if junit := pytestconfig.option.xmlpath:
        place = ROOT / Path(junit).parent / example
        written = (f"--junitxml={place}.xml", f"--harness-report={place}")
    user = user_with(json.dumps(policy), owner)
    run_pytest(directory, *as_user(owner), *there, *written, **user, **limited)
    assert inventory(owner) == before


def test_policy_suffices_to_sweep_by_tag(deployer, owner, tmp_path):
    before = inventory(owner)
    record = DeploymentRecord.create(tmp_path, root=ROOT, target="local", endpoint_url=deployer.endpoint_url)
    tools = toolchain.find(target="local")
    variables = {"deploy_test_resources": False, "permissions_boundary": boundary_of("shout")}
    system = Deployment(ROOT, deployer, tools, record, variables=variables).apply()
    assert [one.deployment_id for one in find(deployer)] == [system.deployment_id]
    assert remove_all(deployer, system.deployment_id, lambda _line: None) == []
    assert inventory(owner) == before
    record.delete()  # terraform would look for the removed resources for a long time


@pytest.fixture
def intruder(owner, user):
    """Return clients with the access key of a user who has the role's policy, by service."""

    def client(service):
        return boto3.client(
            service,
            endpoint_url=owner.endpoint_url,
            region_name=owner.region,
            aws_access_key_id=user[ACCESS_KEY],
            aws_secret_access_key=user[SECRET_KEY],
        )

    return client


def refused(call, **arguments):
    """Return whether IAM denies a call."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    return False


def test_role_without_the_boundary_can_not_be_created(intruder):
    create = intruder("iam").create_role
    role = {"RoleName": "shout-evil", "AssumeRolePolicyDocument": TRUST}
    assert refused(create, **role)
    assert refused(create, **role, PermissionsBoundary=ADMINISTRATOR)
    assert refused(create, **role | {"RoleName": "evil"}, PermissionsBoundary=boundary_of("shout"))


def test_function_with_every_permission_can_do_only_what_the_boundary_allows(owner, intruder):
    """The attack: a role with an inline policy for everything, passed to a function that is invoked."""
    iam = intruder("iam")
    role = iam.create_role(
        RoleName="shout-evil", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=boundary_of("shout")
    )["Role"]["Arn"]
    try:
        iam.put_role_policy(RoleName="shout-evil", PolicyName="all", PolicyDocument=EVERYTHING)
        call = SmallFunction(owner, CALL, name="shout-evil", role=role, client=intruder("lambda"))
        administrator = {"UserName": "administrator"}
        assert "AccessDenied" in call(service="iam", operation="create_user", arguments=administrator)
        promotion = {"RoleName": "shout-evil", "PolicyArn": ADMINISTRATOR}
        assert "AccessDenied" in call(service="iam", operation="attach_role_policy", arguments=promotion)
        freedom = {"RoleName": "shout-evil"}
        assert "AccessDenied" in call(
            service="iam", operation="delete_role_permissions_boundary", arguments=freedom
        )
        assert "AccessDenied" in call(service="logs", operation="describe_log_groups", arguments={})
        owner.client("s3").create_bucket(
            Bucket="shout-evil", CreateBucketConfiguration={"LocationConstraint": owner.region}
        )
        ours = {"Bucket": "shout-evil"}
        assert call(service="s3", operation="list_objects_v2", arguments=ours) is None
    finally:
        owner.client("s3").delete_bucket(Bucket="shout-evil")
        owner.client("lambda").delete_function(FunctionName="shout-evil")
        owner.client("iam").delete_role_policy(RoleName="shout-evil", PolicyName="all")
        owner.client("iam").delete_role(RoleName="shout-evil")


def test_boundary_of_a_role_can_not_be_removed_replaced_or_rewritten(owner, intruder):
    iam, role = intruder("iam"), {"RoleName": "shout-bounded"}
    iam.create_role(**role, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=boundary_of("shout"))
    try:
        assert refused(iam.delete_role_permissions_boundary, **role)
        for boundary in (ADMINISTRATOR, boundary_of("orders")):
            assert refused(iam.put_role_permissions_boundary, **role, PermissionsBoundary=boundary)
        assert refused(iam.attach_role_policy, **role, PolicyArn=ADMINISTRATOR)
        assert refused(iam.update_assume_role_policy, **role, PolicyDocument=TRUST)
        arn = boundary_of("shout")
        assert refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=EVERYTHING, SetAsDefault=True)
        assert refused(iam.delete_policy, PolicyArn=arn)
    finally:
        owner.client("iam").delete_role(**role)


def test_role_that_somebody_made_without_the_boundary_gets_no_policy(owner, intruder):
    role = {"RoleName": "shout-older"}
    owner.client("iam").create_role(**role, AssumeRolePolicyDocument=TRUST)
    try:
        put = intruder("iam").put_role_policy
        assert refused(put, **role, PolicyName="all", PolicyDocument=EVERYTHING)
    finally:
        owner.client("iam").delete_role(**role)


@pytest.mark.parametrize(
    ("role", "service", "decision"),
    [
        ("shout-any", "lambda.amazonaws.com", "Allow"),
        ("shout-any", "ec2.amazonaws.com", "ImplicitDeny"),
        ("administrator", "lambda.amazonaws.com", "ImplicitDeny"),
    ],
)
def test_policy_passes_roles_of_its_own_names_to_lambda_only(role, service, decision):
    """The local AWS emulator doesn't ask for iam:PassRole, so its evaluator reads the policy here."""
    context = EvalContext(
        principal_arn=f"arn:aws:iam::{ACCOUNT}:user/deployer",
        principal_type="User",
        principal_account=ACCOUNT,
        action="iam:PassRole",
        resource_arn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        region="eu-west-1",
        service_context={"iam:passedtoservice": service},
    )
    policy = parse_policy_document(POLICY.read_text(encoding="utf-8").replace("ACCOUNT", ACCOUNT))
    assert evaluate(context, [policy]).decision == decision
