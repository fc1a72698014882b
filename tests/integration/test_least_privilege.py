"""Each role has exactly the permissions that it needs: without any of them, a guarantee breaks.

The local AWS emulator runs with its authorization on. So a function may do only what its role allows. The
test reads the roles and their permissions from the deployed system. All tests of the text processor pass
there, too: `test_account_policy.py` runs them.
"""

import json
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from grants import Role
from small_functions import CALL, SmallFunction

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import HarnessError
from event_harness.listening.listener import Listener
from event_harness.producers import Producer, producers_for
from event_harness.results.sent import Sent
from event_harness.system.correlation import new_session_id
from event_harness.terraform import toolchain

ROOT = Path(__file__).parents[2]

# AWS uses a function's role for these statements; the local AWS emulator doesn't. For these, the test calls
# the same action with the role:
TRIED_INSTEAD = {
    "SendFailures": "the local AWS emulator sends to the failure queue as itself",
    "TellMissingFromForbidden": "the local AWS emulator tells everybody that an object is missing",
    "ReadS3MissingObjects": "the local AWS emulator tells everybody that an object is missing",
}
# For these, it asks IAM's simulator.
SIMULATED_INSTEAD = {
    "WriteLogs": "the local AWS emulator writes the logs as itself, and refuses a log group's ARN with :*",
    "WriteTraces": "the local AWS emulator has no X-Ray",
}
# No test needs these.
NOT_NEEDED_HERE = {
    ("WriteResults", "dynamodb:PutItem"): "only batches of results are put, and without it they are updated",
    ("WriteOverflow", "s3:AbortMultipartUpload"): "only an object of more than 5 GB is copied in parts",
    ("ReadSource", "s3:GetObjectVersion"): "only a bucket with versions names one, and ours have none",
    ("ReadS3Objects", "s3:GetObjectVersion"): "only a bucket with versions names one, and ours have none",
}


@dataclass
class System:
    """The deployed root, and the tools to test its guarantees."""

    target: Target
    listener: Listener
    producer: Producer
    outputs: dict
    roles: dict[str, Role]  # by function
    callers: dict[str, SmallFunction]  # by function: makes a call with that function's role

    @property
    def processor(self):
        return self.outputs["text_processor"]

    @property
    def supervisor(self):
        return self.outputs["event_harness"]["listener"]

    def invoke(self, function, bucket, key):
        """Invoke a function with the event of an object, and return what it raised."""
        record = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-11-22T10:00:00.000Z",
            "s3": {
                "bucket": {"name": bucket},
                "object": {"key": quote_plus(key), "eTag": "0" * 32, "size": 1, "sequencer": "01"},
            },
        }
        answer = self.target.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps({"Records": [record]})
        )
        said = json.loads(answer["Payload"].read())
        return said["errorMessage"] if "FunctionError" in answer else None


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    state = tmp_path_factory.mktemp("least-privilege")
    # Retries at once: that they wait is not what is looked at.
    at_once = {"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.01"}
    with LocalEmulator.start(state / "aws", auth=True, environ=at_once) as aws:
        target = aws.target()
        record = DeploymentRecord.create(state, root=ROOT, target=target.name, endpoint_url=aws.endpoint_url)
        # Never destroyed: what it made goes with the local AWS emulator.
        deployed = Deployment(ROOT, target, toolchain.find(target="local"), record).apply()
        listener = Listener(deployed.resources, target, new_session_id(), sla=60)
        arns = {
            one["FunctionName"]: one["Role"] for one in target.client("lambda").list_functions()["Functions"]
        }
        yield System(
            target=target,
            listener=listener,
            producer=next(iter(producers_for(listener).values())),
            outputs=dict(deployed.outputs),
            roles={name: Role(target.client("iam"), arn) for name, arn in arns.items()},
            callers={
                name: SmallFunction(target, CALL, name=f"call-as-{name}"[:64], role=arn)
                for name, arn in arns.items()
            },
        )
    record.delete()


def lambda_may_send_failures_and_s3_may_tell_what_is_missing(system):
    source, destination = (
        {"Bucket": system.outputs[f"{which}_bucket"]} for which in ("source", "destination")
    )
    for of, buckets in ((system.processor, [source, destination]), (system.supervisor, [destination])):
        call = system.callers[of["function"]]
        message = {"QueueUrl": of["failure_queue_url"], "MessageBody": "sent with the function's role"}
        assert call(service="sqs", operation="send_message", arguments=message) is None
        for bucket in buckets:
            assert call(service="s3", operation="list_objects_v2", arguments=bucket) is None


def lambda_may_write_logs_and_traces(system):
    for of in (system.processor, system.supervisor):
        group = f"arn:aws:logs:{system.target.region}:000000000000:log-group:{of['log_group']}"
        for resource, actions in {
            f"{group}:log-stream:any": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "*": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        }.items():
            answer = system.target.client("iam").simulate_principal_policy(
                PolicySourceArn=system.roles[of["function"]].arn, ActionNames=actions, ResourceArns=[resource]
            )
            decisions = {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}
            assert decisions == dict.fromkeys(actions, "allowed")


def a_text_that_is_deleted_before_it_is_read_is_said_to_be_deleted(system):
    key = system.producer.new_key()
    error = system.invoke(system.processor["function"], system.outputs["source_bucket"], key)
    assert "was deleted before it was read" in error


def an_output_that_is_deleted_before_it_is_read_is_recorded_as_deleted(system):
    key, bucket = system.producer.new_key(), system.outputs["destination_bucket"]
    assert system.invoke(system.supervisor["function"], bucket, key) is None
    sent = Sent(key, "destination", time.time(), f"s3://{bucket}/{key}", 1)
    assert system.listener.wait_for(sent).gone_reason == "deleted"


def a_text_comes_back_in_upper_case(system):
    assert system.listener.wait_for(system.producer.send("a text")).text == "A TEXT"


def a_large_text_comes_back_in_upper_case(system):
    text = "a text of more than 256 KB\n" * 10_000
    result = system.listener.wait_for(system.producer.send(text))
    assert result.body_kind == "overflow"
    assert result.text == text.upper()


def what_is_no_text_ends_in_the_failure_queue_and_leaves_no_part_of_it(system):
    # The first letter is longer in upper case, so the text is written in parts.
    sent = system.producer.send("ŉ".encode() + b"17 MB are three parts\n" * 800_000 + b"\xff")
    assert "not UTF-8" in system.listener.wait_for_failure(sent).error_message
    uploads = system.target.client("s3").list_multipart_uploads(Bucket=system.outputs["destination_bucket"])
    assert sent.correlation_id not in [upload["Key"] for upload in uploads.get("Uploads", [])]


# The quickest first: what is missed is found sooner.
GUARANTEES = (
    lambda_may_send_failures_and_s3_may_tell_what_is_missing,
    lambda_may_write_logs_and_traces,
    a_text_that_is_deleted_before_it_is_read_is_said_to_be_deleted,
    an_output_that_is_deleted_before_it_is_read_is_recorded_as_deleted,
    a_text_comes_back_in_upper_case,
    a_large_text_comes_back_in_upper_case,
    what_is_no_text_ends_in_the_failure_queue_and_leaves_no_part_of_it,
)


def broken_guarantee(system):
    """The first guarantee that the system breaks, or None."""
    for guarantee in GUARANTEES:
        try:
            guarantee(system)
        except (AssertionError, HarnessError):
            return guarantee
    return None


def without_retries(system):
    """Report each failure at once."""
    client = system.target.client("lambda")
    for function in system.roles:
        config = client.get_function_event_invoke_config(FunctionName=function)
        client.put_function_event_invoke_config(
            FunctionName=function,
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": config["DestinationConfig"]["OnFailure"]},
        )


@pytest.mark.parametrize("check", GUARANTEES, ids=lambda guarantee: guarantee.__name__)
def test_the_roles_suffice_for(check, system):
    check(system)


def test_whatever_is_taken_away_from_a_role_is_missed(system):
    without_retries(system)
    missed = defaultdict(set)
    for role in system.roles.values():
        for grant in role.grants:
            with role.without(grant):
                missed[broken_guarantee(system)].add(grant)

    def statements(guarantee):
        return {grant.sid for grant in missed[guarantee]}

    assert {(grant.sid, grant.action) for grant in missed[None]} == set(NOT_NEEDED_HERE)
    assert statements(lambda_may_send_failures_and_s3_may_tell_what_is_missing) == set(TRIED_INSTEAD)
    assert statements(lambda_may_write_logs_and_traces) == set(SIMULATED_INSTEAD)
    assert broken_guarantee(system) is None  # all of it was given back
