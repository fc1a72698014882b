"""The emulator that checks roles refuses nothing of a deployment that plain MiniStack accepts.

Public configurations rely on it: they name roles of another account, set a notification beside the policy
that it needs, or give everybody access to a bucket.
"""

import json

import pytest
from small_functions import SmallFunction

from event_harness.aws.emulator import LocalEmulator

ELSEWHERE = "arn:aws:iam::123123123123:role/somebody-elses"
LISTS_QUEUES = """
import boto3

def handler(event, context):
    return boto3.client("sqs").list_queues().get("QueueUrls", [])
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    with LocalEmulator.start(tmp_path_factory.mktemp("auth") / "aws", auth=True) as aws:
        yield aws.target()


@pytest.fixture(scope="module")
def bucket(target):
    target.client("s3").create_bucket(
        Bucket="everybodys", CreateBucketConfiguration={"LocationConstraint": target.region}
    )
    return "everybodys"


@pytest.fixture(scope="module")
def queue(target):
    return target.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]


def test_notification_may_come_before_the_policy_of_its_queue(target, bucket, queue):
    arn = f"arn:aws:sqs:{target.region}:000000000000:inbox"
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3 = target.client("s3")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    kept = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert [one["QueueArn"] for one in kept] == [arn]
    # Without the policy S3 delivers nothing, as on AWS.
    s3.put_object(Bucket=bucket, Key="unseen", Body=b"")
    assert "Messages" not in target.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1)


def test_new_bucket_takes_a_policy_for_everybody(target, bucket):
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3, policy = target.client("s3"), json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)


def test_stack_with_a_role_needs_no_capabilities(target):
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    template = {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": role}}}
    made = target.client("cloudformation").create_stack(StackName="s", TemplateBody=json.dumps(template))
    assert made["StackId"]


@pytest.mark.parametrize("role", [ELSEWHERE, "no-arn"])
def test_function_of_a_role_that_is_not_there_may_do_anything(target, queue, role):
    function = SmallFunction(target, LISTS_QUEUES, name=f"of-{role.rpartition('/')[2]}", role=role)
    assert function() == [queue]


def test_state_machine_of_a_role_that_is_not_there_is_made(target):
    definition = '{"StartAt": "a", "States": {"a": {"Type": "Pass", "End": true}}}'
    made = target.client("stepfunctions").create_state_machine(
        name="s", definition=definition, roleArn=ELSEWHERE
    )
    assert made["stateMachineArn"]


def test_policies_of_aws_keep_their_description(target):
    policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert target.client("iam").get_policy(PolicyArn=policy)["Policy"]["Description"]
