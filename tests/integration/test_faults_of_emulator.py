"""Each fault strikes what a real function does, for the test's inputs, and nothing of it stays."""

import json

import pytest
from botocore.exceptions import ClientError
from small_functions import SmallFunction

from event_harness.aws.emulator import LocalEmulator
from event_harness.faults.control import FrontControl
from event_harness.faults.faults import Faults
from event_harness.system.resources import ResourceMap

SESSION = "s1m8azc486z2dd"
MINE, OTHERS = f"{SESSION}/a", "s1m8azc486zzzz/b"
SEND = """
import boto3, time
from botocore.config import Config

def handler(event, context):
    began = time.monotonic()
    retries = {"total_max_attempts": event["tries"], "mode": "standard"}
    try:
        queue = boto3.client("sqs", config=Config(retries=retries))
        queue.send_message(QueueUrl=event["queue"], MessageBody="x")
        return ["sent", time.monotonic() - began]
    except Exception as error:
        return str(error)
"""
TRUST = {
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    ]
}
MAP = {
    "schema": 1,
    "region": "eu-west-1",
    "results": {"table": "results", "index": "by_arrival", "overflow_bucket": "overflow"},
    "listener": {"function": "listener"},
    "sources": {"confirmed": {"type": "sqs", "correlation": {"from": "attribute", "at": "correlation_id"}}},
    "components": [{"name": "mailer", "type": "lambda", "function": "app-mailer"}],
}


class World:
    """An emulator with a queue, and two functions that send to it."""

    def __init__(self, target):
        self.target = target
        self.sqs = target.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="orders")["QueueUrl"]
        iam = target.client("iam")
        role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        allowed = {"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
        iam.put_role_policy(RoleName="app", PolicyName="sqs", PolicyDocument=json.dumps(allowed))
        self.functions = {
            name: SmallFunction(target, SEND, name=name, role=role) for name in ("app-mailer", "listener")
        }

    def send(self, id_=MINE, *, by="app-mailer", tries=1):
        """`sent`, or what the function raised. `took` then says how long it took to send, in seconds."""
        answer = self.functions[by](queue=self.queue, id=id_, tries=tries)
        if not isinstance(answer, list):
            return answer
        said, self.took = answer
        return said

    def messages(self):
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"])


@pytest.fixture(scope="module", params=[True, False], ids=["iam", "iam=off"])
def world(request, tmp_path_factory):
    with LocalEmulator.start(tmp_path_factory.mktemp("faults") / "aws", auth=request.param) as aws:
        yield World(aws.target())


def faults_of(world, said, **more):
    settings = {"shared": False, "seed": "a test", "say": said.append} | more
    return Faults(
        FrontControl(world.target), ResourceMap.from_mapping(MAP, "the resource map"), SESSION, **settings
    )


@pytest.fixture
def faults(world):
    made = faults_of(world, [])
    yield made
    made.close()
    assert world.send() == "sent"  # nothing stays


def test_a_throttled_call_is_refused_and_an_sdk_tries_again(world, faults):
    with faults.throttle("sqs", times=2) as fault:
        assert "(RequestThrottled)" in world.send()
        assert world.send(tries=3) == "sent"
    assert str(fault) == "injected: 2 x RequestThrottled on SendMessage"
    strike = {"what": "RequestThrottled", "on": "SendMessage", "function": "app-mailer", "input": MINE}
    assert fault.strikes == [strike, strike]


def test_a_reset_connection_gives_no_answer_and_an_sdk_tries_again(world, faults):
    with faults.reset("sqs", times=2):
        assert "Connection" in world.send()
        assert world.send(tries=3) == "sent"


def test_a_slow_failing_or_denying_service(world, faults):
    with faults.latency("sqs", seconds=1):
        assert world.send() == "sent"
        assert world.took > 0.9
    with faults.error("sqs"):
        assert "(InternalError)" in world.send()
    with faults.denied("sqs", operation="send_message"):
        assert "(AccessDenied)" in world.send()
    with faults.denied("sqs", operation="ReceiveMessage"):
        assert world.send() == "sent"


def test_a_function_that_does_not_run(world, faults):
    before = world.messages()
    with faults.error("mailer", message="SMTP down", type="IOError"):
        assert world.send() == {"errorMessage": "SMTP down", "errorType": "IOError"}
    with faults.timeout("mailer", seconds=0.1):
        assert "Task timed out after" in world.send()["errorMessage"]
    with faults.concurrency("mailer"), pytest.raises(ClientError, match="TooManyRequestsException"):
        world.target.client("lambda", retries={"total_max_attempts": 1}).invoke(FunctionName="app-mailer")
    assert world.messages() == before


def test_a_function_that_starts_late_or_gets_an_event_twice(world, faults):
    with faults.cold_start("mailer", seconds=0.1) as late:
        assert world.send() == "sent"
    assert len(late.strikes) == 1
    before = world.messages()
    with faults.duplicate("mailer"):
        assert world.send() == "sent"
    assert world.messages() == before + 2


def test_the_listener_the_harness_and_the_test_are_not_struck_unless_asked(world, faults):
    with faults.denied("sqs"):
        assert world.send(by="listener") == "sent"
        world.sqs.list_queues()
    with faults.error("sts", harness=True, times=1) as fault:
        world.target.client("sts").get_caller_identity()  # boto3 tries again
    assert len(fault.strikes) == 1


def test_where_workers_share_a_deployment_only_inputs_of_this_one_are_struck(world):
    said = []
    with faults_of(world, said, shared=True).denied("sqs") as fault:
        assert "(AccessDenied)" in world.send()
        assert world.send(OTHERS) == "sent"
        assert world.send("no id") == "sent"
    assert len(fault.strikes) == 1
    assert said == ["faults: a call can't be told to be of this test's inputs, so nothing was struck there"]


def test_a_strike_is_in_the_emulators_log(world, faults):
    with faults.denied("sqs"):
        world.send()
    told = f"injected: AccessDenied on SendMessage (function app-mailer, input {MINE})"
    assert told in world.target.emulator_log.read_text()
