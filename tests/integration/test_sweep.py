"""Sweeping an AWS that outlives the deployments, as a real account does; judged by asking every service."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from documented import command_of

from event_harness import cli
from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.sweep import sweep, sweep_by_tag
from event_harness.errors import DeploymentError
from event_harness.orphans.inventory import inventory
from event_harness.terraform import toolchain
from resilience.killing import SMALL_ROOT
from tests.integration.small_functions import SmallFunction

DEAD, ALIVE = "d0dead00000000", "d0a1ive0000000"

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)
ALLOW = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
)


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    with LocalEmulator.start(tmp_path_factory.mktemp("aws")) as aws:
        yield Target.emulator(aws.endpoint_url)


@pytest.fixture
def dead_deployment(target, tmp_path):
    """A deployment that was applied, and whose process has died since."""
    record = DeploymentRecord.create(
        tmp_path, root=SMALL_ROOT, target=target.endpoint_url, endpoint_url=target.endpoint_url
    )
    Deployment(SMALL_ROOT, target, toolchain.find(target="local"), record).apply()
    record.started -= 1000
    record.save()
    return record


def state_file(record):
    return record.configuration_dir / "terraform.tfstate.d" / record.deployment_id / "terraform.tfstate"


def test_two_sweeps_at_once_leave_nothing_not_even_what_the_state_lacks(target, dead_deployment, tmp_path):
    state = json.loads(state_file(dead_deployment).read_text())
    state["resources"] = [one for one in state["resources"] if one["type"] != "aws_sqs_queue"]
    state_file(dead_deployment).write_text(json.dumps(state))
    said = []
    with ThreadPoolExecutor() as pool:
        codes = list(pool.map(lambda _n: sweep(tmp_path, say=said.append), range(2)))
    assert codes == [0, 0], said
    assert inventory(target) == []
    assert [path.name for path in tmp_path.iterdir()] == [".gitignore"]


def test_state_that_was_cut_off_while_written_is_made_up_for_by_tags(target, dead_deployment, tmp_path):
    text = state_file(dead_deployment).read_text()
    state_file(dead_deployment).write_text(text[: len(text) // 2])
    said = []
    assert sweep(tmp_path, say=said.append) == 0, said
    assert inventory(target) == []
    assert not dead_deployment.directory.exists()


def make_one_of_each(target, deployment_id, expires):
    """A resource of each kind that a sweep knows, with what makes each hard to delete."""
    tags = {
        "event-harness:deployment": deployment_id,
        "event-harness:owner": "me@here",
        "event-harness:expires": expires,
    }
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    client, name = target.client, f"resilience-{deployment_id}"

    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=pairs)["Role"]["Arn"]
    client("iam").put_role_policy(RoleName=name, PolicyName="access", PolicyDocument=ALLOW)
    policy = client("iam").create_policy(PolicyName=name, PolicyDocument=ALLOW, Tags=pairs)["Policy"]["Arn"]
    client("iam").create_policy_version(PolicyArn=policy, PolicyDocument=ALLOW, SetAsDefault=True)
    client("iam").attach_role_policy(RoleName=name, PolicyArn=policy)

    queue = client("sqs").create_queue(QueueName=name, tags=tags)["QueueUrl"]
    queue_arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    topic = client("sns").create_topic(Name=name, Tags=pairs)["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)

    function = SmallFunction(target, "def handler(event, context): pass", name=name, role=role)
    arn = function.client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    function.client.tag_resource(Resource=arn, Tags=tags)
    function.client.create_event_source_mapping(FunctionName=name, EventSourceArn=queue_arn, BatchSize=1)

    events = client("events")
    events.create_event_bus(Name=name, Tags=pairs)
    for bus in (name, "default"):
        events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source": ["resilience"]}', Tags=pairs)
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue_arn}])

    bucket, s3 = f"{name}-bucket", client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": target.region})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": pairs})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"old", b"new"):
        s3.put_object(Bucket=bucket, Key="twice", Body=content)
    s3.delete_object(Bucket=bucket, Key="twice")
    s3.create_multipart_upload(Bucket=bucket, Key="never completed")

    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=pairs,
    )
    client("kinesis").create_stream(StreamName=name, ShardCount=1)
    client("kinesis").get_waiter("stream_exists").wait(StreamName=name)
    client("kinesis").add_tags_to_stream(StreamName=name, Tags=tags)
    client("logs").create_log_group(logGroupName=f"/resilience/{name}", tags=tags)
    client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        MetricName="Errors",
        Namespace="AWS/Lambda",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Tags=pairs,
    )


@pytest.fixture
def states(target):
    """A bucket for states."""
    s3 = target.client("s3")
    s3.create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": target.region})
    yield s3
    for one in s3.list_objects_v2(Bucket="states").get("Contents", []):
        s3.delete_object(Bucket="states", Key=one["Key"])
    s3.delete_bucket(Bucket="states")


def keys(states):
    return sorted(one["Key"] for one in states.list_objects_v2(Bucket="states").get("Contents", []))


def deployment_with_remote_state(target, state_dir):
    url = target.endpoint_url
    record = DeploymentRecord.create(state_dir, root=SMALL_ROOT, target=url, endpoint_url=url)
    record.region, record.remote_state = target.region, "s3://states/nightly"
    record.save()
    return Deployment(SMALL_ROOT, target, toolchain.find(target="local"), record)


def test_another_machine_destroys_by_the_remote_state_once_the_lost_one_has_expired(target, states, tmp_path):
    deployment = deployment_with_remote_state(target, tmp_path / "lost" / ".event-harness")
    deployment.apply()
    name = deployment.record.deployment_id
    below = f"nightly/{name}"
    assert keys(states) == [f"{below}/record.json", f"{below}/terraform.tfstate"]  # and no lock
    shutil.rmtree(tmp_path / "lost")
    states.put_object(
        Bucket="states", Key=f"{below}/terraform.tfstate.tflock", Body=b'{"Who": "runner@lost", "ID": "1"}'
    )
    record = json.loads(states.get_object(Bucket="states", Key=f"{below}/record.json")["Body"].read())
    documented = command_of("docs/aws.md", "--remote-state")
    documented = documented.replace(" aws ", f" {target.endpoint_url} ")
    documented = documented.replace("event-harness-states-ACCOUNT", "states")
    command = ["--project", str(tmp_path), *documented.split()[1:], name]

    def publish():
        states.put_object(Bucket="states", Key=f"{below}/record.json", Body=json.dumps(record).encode())

    record["owner"] = "runner@lost"
    publish()
    assert cli.main(command) == 1  # its machine may still work
    assert [one for one in inventory(target) if "states" not in str(one)] != []
    record["expires_at"] = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    publish()
    assert cli.main(command) == 0
    assert keys(states) == []
    assert [one for one in inventory(target) if "states" not in str(one)] == []


def test_deployment_fails_and_changes_nothing_while_another_machine_has_locked_its_state(
    target, states, tmp_path
):
    deployment = deployment_with_remote_state(target, tmp_path)
    states.put_object(
        Bucket="states",
        Key=f"nightly/{deployment.record.deployment_id}/terraform.tfstate.tflock",
        Body=b'{"Who": "runner@another", "ID": "1"}',
    )
    with pytest.raises(DeploymentError, match=r"PreconditionFailed[^$]*runner@another"):
        deployment.apply()
    assert [one for one in inventory(target) if "states" not in str(one)] == []


@pytest.mark.real_account
def test_sweep_by_tag_leaves_a_deployment_that_is_not_on_record_alone_until_it_expires(deployment, tmp_path):
    said = []
    assert sweep_by_tag(tmp_path, deployment.target, dry_run=True, say=said.append) == 0
    (line,) = [line for line in said if line.startswith(deployment.deployment_id)]
    assert line.endswith("left alone")


def test_sweep_by_tag_needs_no_record_and_takes_every_kind_of_resource_but_only_expired_ones(
    target, tmp_path
):
    now = datetime.now(UTC)
    make_one_of_each(target, DEAD, f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}")
    dead = inventory(target)
    target.client("sqs").create_queue(QueueName="somebody-elses")
    copy = f"copy-of-{DEAD}"
    target.client("sqs").create_queue(QueueName=copy, tags={"Team": "x"})
    s3 = target.client("s3")
    s3.create_bucket(Bucket=copy, CreateBucketConfiguration={"LocationConstraint": target.region})
    s3.put_bucket_tagging(Bucket=copy, Tagging={"TagSet": [{"Key": "Team", "Value": "x"}]})
    make_one_of_each(target, ALIVE, f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")
    everything = inventory(target)
    assert len({found.type for found in dead}) == 13

    said = []
    assert sweep_by_tag(tmp_path, target, dry_run=True, say=said.append) == 0
    assert inventory(target) == everything
    assert sum("would be deleted" in line for line in said) == 1

    with ThreadPoolExecutor() as pool:
        codes = list(pool.map(lambda _n: sweep_by_tag(tmp_path, target, say=said.append), range(2)))
    assert codes == [0, 0], said
    assert inventory(target) == sorted(set(everything) - set(dead))
