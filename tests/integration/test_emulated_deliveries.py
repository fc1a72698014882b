"""What the harness's front adds to MiniStack's deliveries: retries, halving, types of errors, versions.

The same system is made twice: behind the front, and on MiniStack itself, where all of it must still be
missing. If a test of the second kind fails, MiniStack has learned it: delete the module that its docstring
names.
"""

import json
import os
import time

import psutil
import pytest
from small_functions import SmallFunction

from event_harness.aws import launching
from event_harness.aws.emulator import LocalEmulator
from event_harness.explaining.given_up import given_up
from event_harness.faults.control import FrontControl

ACCOUNT, REGION = "000000000000", "eu-west-1"
LONG = 90  # seconds within which everything that comes has come
SOURCE = """
import base64, json, os

class RefusedError(Exception):
    pass

def handler(event, context):
    text = json.dumps(event)
    for record in event.get("Records", []):
        text += base64.b64decode(record.get("kinesis", {}).get("data", "")).decode()
    if "bad" in text:
        raise RefusedError("it is bad")
    print("took", text)
"""


class World:
    """An emulator with a stream, a rule, a bucket with versions, and a function that refuses bad events."""

    def __init__(self, target):
        self.target = target
        self.function = SmallFunction(target, SOURCE, name="strict")
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:strict"
        functions, self.sqs = target.client("lambda"), target.client("sqs")
        self.queues = {
            name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("lost", "missed", "seen")
        }
        functions.put_function_event_invoke_config(
            FunctionName="strict",
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": self._arn("missed")}},
        )
        self.kinesis = target.client("kinesis")
        self.kinesis.create_stream(StreamName="readings", ShardCount=1)
        functions.create_event_source_mapping(
            FunctionName="strict",
            EventSourceArn=f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/readings",
            StartingPosition="TRIM_HORIZON",
            MaximumRetryAttempts=0,
            BisectBatchOnFunctionError=True,
            DestinationConfig={"OnFailure": {"Destination": self._arn("lost")}},
        )
        self.events, self.s3 = target.client("events"), target.client("s3")
        self._rule("odd", {"source": ["odd"]}, arn)
        self._rule("objects", {"source": ["aws.s3"]}, self._arn("seen"))
        self.s3.create_bucket(Bucket="versions", CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        self.s3.put_bucket_notification_configuration(
            Bucket="versions", NotificationConfiguration={"EventBridgeConfiguration": {}}
        )

    def _arn(self, queue):
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"

    def _rule(self, name, pattern, target):
        self.events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        self.events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target}])

    def send(self):
        """One event into each; returns the version of the object."""
        self.kinesis.put_records(
            StreamName="readings",
            Records=[{"Data": text.encode(), "PartitionKey": "k"} for text in ("good-1", "bad", "good-2")],
        )
        self.events.put_events(Entries=[{"Source": "odd", "DetailType": "t", "Detail": '{"is": "bad"}'}])
        return self.s3.put_object(Bucket="versions", Key="a b", Body=b"x")["VersionId"]

    def received(self, queue):
        """The messages of a queue, as JSON, without taking them."""
        answer = self.sqs.receive_message(
            QueueUrl=self.queues[queue], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def awaited(self, queue):
        """The first message of a queue, once it is there."""
        until = time.monotonic() + LONG
        while not (found := self.received(queue)):
            assert time.monotonic() < until, f"nothing came to {queue}"
            time.sleep(0.1)
        return found[0]

    def lines(self):
        """What the function has logged."""
        pages = self.target.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName="/aws/lambda/strict")
        return [event["message"] for page in found for event in page["events"]]

    def attempts(self):
        """How often the function was called with the bad record of the stream."""
        return sum("REPORT" in line for line in self.lines())


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with LocalEmulator.start(tmp_path_factory.mktemp("front") / "aws") as running:
        made = World(running.target())
        made.version = made.send()
        yield made


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launching, "FRONT", "ministack")
        with LocalEmulator.start(tmp_path_factory.mktemp("plain") / "aws") as running:
            made = World(running.target())
            made.version = made.send()
            yield made


def test_bad_record_of_a_stream_is_found_and_given_up(world):
    message = world.awaited("lost")
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    given_up = message["KinesisBatchInfo"]
    assert (given_up["batchSize"], given_up["startSequenceNumber"]) == (1, given_up["endSequenceNumber"])


def test_records_around_the_bad_one_are_processed(world):
    world.awaited("lost")
    until = time.monotonic() + LONG
    while not all(
        any("took" in line and one in line for line in world.lines()) for one in ("good-1", "good-2")
    ):
        assert time.monotonic() < until, world.lines()
        time.sleep(0.1)


def test_what_a_rule_could_not_make_a_function_process_comes_to_its_failure_destination(world):
    message = world.awaited("missed")
    assert message["requestPayload"]["detail"] == {"is": "bad"}
    assert message["responsePayload"] == {"errorType": "RefusedError", "errorMessage": "it is bad"}


def test_message_about_a_record_whose_invocation_a_fault_has_struck_names_that_invocation(world):
    world.awaited("lost")
    rule = {
        "kind": "raise",
        "owner": (os.getpid(), psutil.Process().create_time()),
        "session": "s",
        "only_session": False,
        "functions": ["strict"],
        "settings": {"type": "OutageError", "message": "struck"},
    }
    fault = FrontControl(world.target).add(rule)
    try:
        world.kinesis.put_record(StreamName="readings", Data=b"late", PartitionKey="k")
        until = time.monotonic() + LONG
        while len(told := world.received("lost")) < 2:
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        FrontControl(world.target).remove(fault)
    requests = {one["requestContext"]["requestId"] for one in told}
    started = {line.split()[2] for line in world.lines() if line.startswith("START RequestId: ")}
    assert len(requests) == 2
    assert requests <= started


def test_what_nothing_keeps_is_told_when_it_is_given_up(world):
    id_ = "s1m8ayz87jefz8/01M8AYZGF6WJ7MGXCTF86MPQ7N"
    read = given_up(world.target.emulator_log, {"careless": "careless"})
    careless = SmallFunction(world.target, SOURCE, name="careless")
    settings = {"FunctionName": "careless", "MaximumRetryAttempts": 1}
    careless.client.put_function_event_invoke_config(**settings)
    careless.start(id=id_, text="bad")
    until = time.monotonic() + LONG
    while not (told := read()):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert [(one.component, one.attempts, one.concerns(f"{id_}/input.txt")) for one in told] == [
        ("careless", 2, True)
    ]


def test_event_of_an_object_names_its_version(world):
    assert world.awaited("seen")["detail"]["object"]["version-id"] == world.version


def test_ministack_itself_still_tells_no_version_on_a_bus(plain):
    """If this fails, delete event_harness/aws/front/object_versions.py."""
    assert "version-id" not in plain.awaited("seen")["detail"]["object"]


def test_ministack_itself_still_calls_every_error_the_same(plain):
    """If this fails, delete event_harness/aws/front/function_errors.py."""
    answer = plain.function.client.invoke(FunctionName="strict", Payload=b'{"is": "bad"}')
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.HandlerError"


def test_ministack_itself_still_loses_what_a_rule_could_not_make_a_function_process(plain):
    """If this fails, delete event_harness/aws/front/asynchronous_targets.py."""
    until = time.monotonic() + LONG
    while not any("RefusedError" in line for line in plain.lines()):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert plain.received("missed") == []


def test_ministack_itself_still_retries_a_bad_record_for_ever(plain):
    """If this fails, delete event_harness/aws/front/stream_batches.py."""
    until = time.monotonic() + LONG
    while plain.attempts() < 5:  # one of the rule, one of the invocation, three of the whole batch
        assert time.monotonic() < until
        time.sleep(0.1)
    assert plain.received("lost") == []
