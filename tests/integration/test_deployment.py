"""What a deployment guarantees: apart from others, as declared, and gone afterwards."""

import dataclasses
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from projects import vendor

from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import DeploymentError, NoTestResourcesError
from event_harness.listening.listener import Listener
from event_harness.listening.readiness import await_ready
from event_harness.orphans.inventory import inventory
from event_harness.producers import producers_for
from event_harness.system.correlation import new_session_id
from event_harness.terraform import toolchain

ROOT = Path(__file__).parents[2]


@pytest.fixture
def deploy(deployment, tmp_path):
    """Makes deployments beside the session's, on the same target, and destroys them all."""
    with ExitStack() as stack:

        def make(root=ROOT, **variables):
            target = deployment.target
            tools = toolchain.find(target=target.name)
            record = DeploymentRecord.create(
                tmp_path, root=root, target=target.name, endpoint_url=target.endpoint_url
            )
            one = Deployment(root, target, tools, record, variables=variables)
            return one, stack.enter_context(one)

        yield make


@pytest.fixture(scope="module")
def second(deployment, tmp_path_factory):
    """A second deployment of the sample system, and its directory. The last of its tests destroys it."""
    state = tmp_path_factory.mktemp("second")
    target = deployment.target
    record = DeploymentRecord.create(state, root=ROOT, target=target.name, endpoint_url=target.endpoint_url)
    variables = {"name_prefix": "shout-two"}
    one = Deployment(ROOT, target, toolchain.find(target=target.name), record, variables=variables)
    with one as system:
        yield one, system, state


@pytest.mark.real_account
def test_plan_after_apply_is_empty(second):
    one, _, _ = second
    assert one.drift() == []


@pytest.mark.real_account
@pytest.mark.sla(120)
def test_two_workspaces_at_once_do_not_meet(second, producer, listener):
    _, other, _ = second
    theirs = Listener(other.resources, other.target, new_session_id(), sla=120)
    their_producer = producers_for(theirs)["source"]
    await_ready(their_producer, theirs, limit=120)
    sent_there = their_producer.send("there")
    sent_here = producer.send("here")
    assert theirs.wait_for(sent_there).text == "THERE"
    assert listener.wait_for(sent_here).text == "HERE"
    assert [r.text for r in theirs.results()] == ["THERE"]


def test_destroy_leaves_nothing(second):
    """A real account goes on listing what is destroyed for up to a minute."""
    one, system, state = second
    assert inventory(system.target, part=system.deployment_id)
    one.destroy()
    assert inventory(system.target, part=system.deployment_id) == []
    assert not list((state / "deployments").glob("*"))


# Files with which users reach an emulator of their own. The harness's own overrides must win.
OVERRIDES = {
    "zz_override.tf": 'terraform {\n  backend "s3" {\n    bucket = "b"\n  }\n}\n',
    "localstack_providers_override.tf": """
provider "aws" {
  profile = "default"
  endpoints {
    sqs = "http://127.0.0.1:9"
  }
}
""",
}
QUEUES_AND_BUCKETS = """
provider "aws" {}
resource "aws_sqs_queue" "inbox" {
  name = "${terraform.workspace}-inbox"
}
resource "aws_sqs_queue" "outbox" {
  name = "${terraform.workspace}-outbox"
}
resource "aws_s3_bucket" "disposable" {
  bucket        = "${terraform.workspace}-disposable"
  force_destroy = true
  lifecycle {
    ignore_changes = [server_side_encryption_configuration] # the default one is a change for 3.39
  }
}
resource "aws_s3_bucket" "lasting" {
  bucket = "${terraform.workspace}-lasting"
  lifecycle {
    ignore_changes = [server_side_encryption_configuration]
  }
}
output "inbox" {
  value = aws_sqs_queue.inbox.id
}
"""


@pytest.fixture(scope="module")
def simple(deployment, tmp_path_factory):
    """Queues and buckets, with override files of the user's. The last of its tests destroys them."""
    root, target = tmp_path_factory.mktemp("simple"), deployment.target
    for name, text in {"main.tf": QUEUES_AND_BUCKETS, **OVERRIDES}.items():
        (root / name).write_text(text)
    record = DeploymentRecord.create(
        tmp_path_factory.mktemp("state"), root=root, target=target.name, endpoint_url=target.endpoint_url
    )
    one = Deployment(root, target, toolchain.find(target=target.name), record)
    with one as system:
        yield one, system


def test_override_files_of_the_user_do_not_keep_a_deployment_off_the_emulator(simple):
    _, system = simple
    assert inventory(system.target, part=system.deployment_id)


def test_what_was_changed_behind_terraforms_back_is_told_by_its_address(simple):
    one, system = simple
    assert one.drift() == []
    system.target.client("sqs").set_queue_attributes(
        QueueUrl=system.outputs["inbox"], Attributes={"VisibilityTimeout": "77"}
    )
    assert one.drift() == ["aws_sqs_queue.inbox: update"]


def test_awkward_keys_are_gone_before_terraform_lists_them(simple, monkeypatch):
    one, system = simple
    s3 = system.target.client("s3")
    bucket = f"{system.deployment_id}-disposable"
    for key in ("x+y", "x y", "%41&=%", "größe 日本語", "bell \x07"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    assert one.record.disposable_buckets() == [bucket]

    terraform, listed = one.calls.terraform, []

    def watched(**settings):
        listed.append(s3.list_object_versions(Bucket=bucket).get("Versions", []))
        return terraform(**settings)

    monkeypatch.setattr(one.calls, "terraform", watched)
    one.destroy()
    assert listed == [[]]


IN_A_REGION_OF_ITS_OWN = """
variable "there" {
  default = "us-west-2"
}
provider "aws" {
  region              = %s
  profile             = "default"
  allowed_account_ids = ["123456789012"]
  assume_role {
    role_arn = "arn:aws:iam::123456789012:role/deploy"
  }
  default_tags {
    tags = { (terraform.workspace) = "of the user" }
  }
}
provider "aws" {
  alias  = "elsewhere"
  region = "us-east-1"
}
resource "aws_sqs_queue" "inbox" {
  name = "${terraform.workspace}-inbox"
}
resource "aws_sqs_queue" "outbox" {
  provider = aws.elsewhere
  name     = "${terraform.workspace}-outbox"
}
output "inbox" {
  value = aws_sqs_queue.inbox.id
}
"""


def there(system, region):
    """The queues of a system in a region; tests beside this one have queues there, too."""
    target = dataclasses.replace(system.target, region=region, _clients={})
    return inventory(target, part=system.deployment_id)


def deployed_there(deploy, root, expression):
    """Deploy to the region that an expression names. Check that all is where it should be."""
    root.mkdir()
    (root / "main.tf").write_text(IN_A_REGION_OF_ITS_OWN % expression)
    one, system = deploy(root=root)
    assert system.target.region == one.record.region == "us-west-2"
    tags = system.target.client("sqs").list_queue_tags(QueueUrl=system.outputs["inbox"])["Tags"]
    assert tags[system.deployment_id] == "of the user"
    assert set(one.record.tags.items()) <= set(tags.items())
    assert there(system, "us-east-1")
    return one, system


def test_system_is_found_in_the_region_that_its_configuration_names(deploy, tmp_path):
    """Its provider block names a role, a profile and an account, too, which no emulator has."""
    one, system = deployed_there(deploy, tmp_path / "root", '"us-west-2"')
    one.destroy()
    assert there(system, "us-west-2") == there(system, "us-east-1") == []


def test_resources_are_destroyed_although_the_configuration_can_not_be_used_any_more(deploy, tmp_path):
    """The region comes from a variable, which can't be read any more either."""
    expression = '(\n    # as agreed\n    true\n    ? var.there : "eu-west-1"\n  )'
    one, system = deployed_there(deploy, tmp_path / "root", expression)
    (one.record.configuration_dir / "main.tf").write_text('locals {\n  gone = file("gone.txt")\n}\n')
    (one.record.configuration_dir / "gone.tf").write_text('output "gone" {\n  value = local.gone\n}\n')
    one.destroy()
    assert there(system, "us-west-2") == there(system, "us-east-1") == []
    assert not list((tmp_path / "deployments").glob("*"))


@pytest.mark.real_account
def test_shut_gate_deploys_no_listener_and_the_harness_says_so(deploy):
    _, system = deploy(deploy_test_resources=False)
    assert not [
        f
        for f in inventory(system.target, part=system.deployment_id)
        if "listener" in f.name or "results" in f.name
    ]
    with pytest.raises(NoTestResourcesError, match="deploy_test_resources = true"):
        _ = system.resources


def test_apply_that_fails_says_why_and_leaves_nothing(deploy, deployment, tmp_path):
    with pytest.raises(DeploymentError, match="name_prefix must be") as error:
        deploy(name_prefix="UPPER")
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "deployments").glob("*"))


def test_apply_that_fails_half_way_destroys_what_it_had_created(deploy, deployment, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "main.tf").write_text(
        'resource "aws_sqs_queue" "first" {\n  name = "${terraform.workspace}-first"\n}\n'
        'resource "aws_sqs_queue" "second" {\n  name = "${terraform.workspace} is no name"\n'
        "  depends_on = [aws_sqs_queue.first]\n}\n"
    )
    with pytest.raises(DeploymentError, match=r"is no name|InvalidParameterValue|invalid"):
        deploy(root=root)
    left = [found.name for found in inventory(deployment.target)]
    assert not [name for name in left if re.search(r"/d[0-9a-z]{13}-first$", name)]
    assert not list((tmp_path / "deployments").glob("*"))


@pytest.mark.parametrize(
    ("components", "sources", "refusal", "created"),
    [
        (
            '{ name = "inbox", type = "sqs", queue_url = aws_sqs_queue.inbox.id },'
            '{ name = "outbox", type = "sqs", url = "misspelt" }',
            'inbox = { type = "sqs", queue_arn = aws_sqs_queue.inbox.arn }',
            r'A component of type "sqs" lacks `queue_url`',
            False,
        ),
        (
            "",
            'ledger = { type = "dynamodb", stream_arn = aws_dynamodb_table.ledger.stream_arn }',
            r"which is empty unless the table has stream_enabled = true",
            True,
        ),
    ],
    ids=["at plan", "at apply"],
)
def test_a_mistake_in_the_modules_inputs_is_told_and_destroyed(
    deploy, deployment, tmp_path, components, sources, refusal, created
):
    root = tmp_path / "root"
    vendor(root)
    (root / "main.tf").write_text(
        'variable "deploy_test_resources" {\n  default = false\n}\n'
        'resource "aws_sqs_queue" "inbox" {\n  name = "${terraform.workspace}-inbox"\n}\n'
        'resource "aws_dynamodb_table" "ledger" {\n  name = "${terraform.workspace}-ledger"\n'
        '  billing_mode = "PAY_PER_REQUEST"\n  hash_key = "id"\n'
        '  attribute {\n    name = "id"\n    type = "S"\n  }\n}\n'
        'module "event_listener" {\n  source = "./harness/modules/event_listener"\n'
        "  count = var.deploy_test_resources ? 1 : 0\n  name = terraform.workspace\n"
        f"  sources = {{ {sources} }}\n  components = [{components}]\n}}\n"
    )
    with pytest.raises(DeploymentError, match=refusal) as error:
        deploy(root=root)
    assert getattr(error.value, "__notes__", []) == []
    logs = next(iter((tmp_path / "logs").glob("*")))
    # Refused again, then destroyed by the state alone; or there was nothing to destroy.
    assert len(list(logs.glob("*-destroy.log"))) == (2 if created else 0)
    assert inventory(deployment.target, part=logs.name) == []
    assert not list((tmp_path / "deployments").glob("*"))
