"""The table of what the local AWS emulator doesn't carry out is true: each row is tried.

All connections are made first, then an event is sent into each, then one wait serves all tests.
"""

import io
import json
import time
import urllib.error
import urllib.request
import zipfile
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from event_harness.aws.emulator import LocalEmulator
from event_harness.system.graph.emulated import GAPS

ACCOUNT, REGION = "000000000000", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
LONG = 300  # seconds within which everything that comes has come
MORE = 3  # seconds after the last of the connections that work has delivered


class World:
    """An emulator with all connections of the table, and some that work."""

    def __init__(self, target):
        self.target = target
        self.status = {}

    def client(self, service):
        return self.target.client(service)

    def queue(self, name, **attributes):
        url = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def table(self, name):
        made = self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        return made["TableDescription"]["LatestStreamArn"]

    def heard(self, name):
        """A topic whose messages come to a queue of the same name, raw."""
        topic = self.client("sns").create_topic(Name=name)["TopicArn"]
        _, queue = self.queue(name)
        self.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"}
        )
        return topic

    def stream(self, name):
        self.client("kinesis").create_stream(StreamName=name, ShardCount=1)
        return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"

    def rule(self, name, target, **more):
        events = self.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target, **more}])

    def pipe(self, name, source, target, **more):
        self.client("pipes").create_pipe(Name=name, RoleArn=ROLE, Source=source, Target=target, **more)

    def schedule(self, name, target, **more):
        soon = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
        self.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=f"at({soon})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target, "RoleArn": ROLE, **more},
        )

    def received(self, queue):
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in answer.get("Messages", [])]

    def logged(self, function):
        """The streams of a function's log."""
        groups = self.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}")
        if not groups["logGroups"]:
            return []
        name = groups["logGroups"][0]["logGroupName"]
        return self.client("logs").describe_log_streams(logGroupName=name)["logStreams"]

    def records(self, stream):
        kinesis = self.client("kinesis")
        at = kinesis.get_shard_iterator(
            StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
        )
        return kinesis.get_records(ShardIterator=at["ShardIterator"])["Records"]

    def call(self, name, api, path):
        """Call an API of the emulator, which knows it by the Host header."""
        endpoint = urlsplit(self.target.endpoint_url)
        url = f"http://127.0.0.1:{endpoint.port}{path}"
        request = urllib.request.Request(url, data=b'{"id": "1"}', method="POST")
        request.add_header("Host", f"{api}.execute-api.localhost:{endpoint.port}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 (our own)
                self.status[name] = answer.status
        except urllib.error.HTTPError as error:
            self.status[name] = error.code


def make(world):
    """Every connection of the table that can be tried."""
    stream = world.table("orders")
    read = {"SourceParameters": {"DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON"}}}
    world.pipe("works", stream, world.heard("pipe-to-topic"), **read)
    world.pipe("to-queue", stream, world.queue("pipe-to-queue")[1], **read)
    world.pipe("from-queue", world.queue("pipe-source")[1], world.heard("pipe-from-queue"))
    refusing = {"Filters": [{"Pattern": json.dumps({"eventName": ["REMOVE"]})}]}
    world.pipe(
        "filtered",
        stream,
        world.heard("pipe-filtered"),
        SourceParameters=read["SourceParameters"] | {"FilterCriteria": refusing},
    )
    nobody = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:nobody"
    world.pipe("enriched", stream, world.heard("pipe-enriched"), Enrichment=nobody, **read)
    template = {"InputTemplate": '{"only": "this"}'}
    world.pipe("shaped", stream, world.heard("pipe-shaped"), TargetParameters=template, **read)
    world.rule("rule-works", world.queue("rule-to-queue")[1])
    world.rule("rule-to-stream", world.stream("rule-sink"))
    letters = {"DeadLetterConfig": {"Arn": world.queue("rule-letters")[1]}}
    world.rule("rule-fails", f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone", **letters)
    world.schedule("works", world.queue("schedule-to-queue")[1], Input="{}")
    url, _ = world.queue("schedule-call")
    call = json.dumps({"QueueUrl": url, "MessageBody": "x"})
    world.schedule("call", "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", Input=call)
    policy = {"deadLetterTargetArn": world.queue("subscription-letters")[1]}
    world.client("sns").subscribe(
        TopicArn=world.heard("placed"),
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone",
        Attributes={"RedrivePolicy": json.dumps(policy)},
    )
    make_function(world, world.queue("on-success")[1])
    logs = world.client("logs")
    logs.create_log_group(logGroupName="/some/group")
    logs.create_log_stream(logGroupName="/some/group", logStreamName="one")
    logs.put_subscription_filter(
        logGroupName="/some/group",
        filterName="all",
        filterPattern="",
        destinationArn=world.stream("log-sink"),
        roleArn=ROLE,
    )


def make_function(world, success):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("app.py", "def handler(event, context):\n    print('ran')\n    return 'done'\n")
    functions = world.client("lambda")
    functions.create_function(
        FunctionName="greet",
        Runtime="python3.13",
        Handler="app.handler",
        Role=ROLE,
        Code={"ZipFile": code.getvalue()},
    )
    functions.put_function_event_invoke_config(
        FunctionName="greet", DestinationConfig={"OnSuccess": {"Destination": success}}
    )


def make_apis(world):
    """An HTTP API that sends to a queue, a REST API that starts an execution."""
    machine = world.client("stepfunctions").create_state_machine(
        name="flow",
        roleArn=ROLE,
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
    )["stateMachineArn"]
    api = world.client("apigatewayv2")
    made = api.create_api(Name="shop", ProtocolType="HTTP")
    integration = api.create_integration(
        ApiId=made["ApiId"],
        IntegrationType="AWS_PROXY",
        IntegrationSubtype="SQS-SendMessage",
        PayloadFormatVersion="1.0",
        CredentialsArn=ROLE,
        RequestParameters={"QueueUrl": world.queue("http-api")[0], "MessageBody": "$request.body"},
    )["IntegrationId"]
    api.create_route(ApiId=made["ApiId"], RouteKey="POST /x", Target=f"integrations/{integration}")
    api.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    world.call("http-api", made["ApiId"], "/x")
    rest = world.client("apigateway")
    rest_id = rest.create_rest_api(name="shop")["id"]
    root = rest.get_resources(restApiId=rest_id)["items"][0]["id"]
    where = {"restApiId": rest_id, "resourceId": root, "httpMethod": "POST"}
    rest.put_method(**where, authorizationType="NONE")
    template = json.dumps({"stateMachineArn": machine, "input": "{}"})
    rest.put_integration(
        **where,
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:states:action/StartExecution",
        credentials=ROLE,
        requestTemplates={"application/json": template},
    )
    rest.put_method_response(**where, statusCode="200")
    rest.put_integration_response(**where, statusCode="200")
    rest.create_deployment(restApiId=rest_id, stageName="live")
    world.call("rest-api", rest_id, "/live/")
    return machine


def send(world):
    world.client("dynamodb").put_item(TableName="orders", Item={"id": {"S": "1"}})
    sqs = world.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="pipe-source")["QueueUrl"], MessageBody="x")
    entries = [
        {"Source": name, "DetailType": "x", "Detail": "{}"}
        for name in ("rule-works", "rule-to-stream", "rule-fails")
    ]
    world.client("events").put_events(Entries=entries)
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:placed"
    world.client("sns").publish(TopicArn=topic, Message="x")
    world.client("lambda").invoke(FunctionName="greet", InvocationType="Event", Payload=b"{}")
    world.client("logs").put_log_events(
        logGroupName="/some/group",
        logStreamName="one",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": "x"}],
    )


WORKS = ("pipe-to-topic", "rule-to-queue", "schedule-to-queue", "placed")
PASSES = {
    "the filter of a pipe": "pipe-filtered",
    "the enrichment of a pipe": "pipe-enriched",
    "the input template of a pipe": "pipe-shaped",
}
HOLDS = "Pipes to-queue: holding 1 record(s)"


def has_all(world, log):
    """Whether all that comes has come."""
    return (
        all(world.received(name) for name in (*WORKS, *PASSES.values()))
        and world.logged("greet")
        and HOLDS in log.read_text()
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with LocalEmulator.start(tmp_path_factory.mktemp("aws")) as aws:
        made = World(aws.target(REGION))
        make(made)
        made.machine = make_apis(made)
        send(made)
        end = time.monotonic() + LONG
        while time.monotonic() < end and not has_all(made, aws.log):
            time.sleep(0.2)
        time.sleep(MORE)
        made.log = aws.log.read_text()
        yield made


def test_connections_that_are_carried_out_deliver(world):
    assert {name: len(world.received(name)) for name in WORKS} == dict.fromkeys(WORKS, 1)
    assert world.logged("greet")


EMPTY = {
    "a pipe that reads anything but a DynamoDB stream": "pipe-from-queue",
    "a pipe to anything but a topic or a state machine": "pipe-to-queue",
    "a schedule that makes a call of the AWS SDK": "schedule-call",
    "the dead-letter queue of a rule or a schedule": "rule-letters",
    "the dead-letter queue of a subscription": "subscription-letters",
    "the destination for success of a function": "on-success",
}


@pytest.mark.parametrize("what", EMPTY)
def test_nothing_comes_through(world, what):
    assert world.received(EMPTY[what]) == []


RECORDS = {
    "a rule or a schedule to anything but a function, a queue, a topic, a state machine, a bus or an API"
    " destination": "rule-sink",
    "log lines to anything but a function": "log-sink",
}


@pytest.mark.parametrize("what", RECORDS)
def test_nothing_comes_into_a_stream(world, what):
    assert world.records(RECORDS[what]) == []


@pytest.mark.parametrize("what", PASSES)
def test_record_comes_through_as_it_was(world, what):
    (body,) = world.received(PASSES[what])
    assert json.loads(body)["eventName"] == "INSERT"


def test_apis_call_no_other_service(world):
    assert min(world.status.values()) >= 500
    assert world.received("http-api") == []
    assert world.client("stepfunctions").list_executions(stateMachineArn=world.machine)["executions"] == []


TASKS = {"glue": "glue:startJobRun", "object": "aws-sdk:s3:putObject", "invoke": "aws-sdk:lambda:invoke"}


@pytest.mark.parametrize("name", TASKS)
def test_task_that_the_emulator_does_not_know_fails_its_execution(world, name):
    machines = world.client("stepfunctions")
    states = {"Run": {"Type": "Task", "Resource": f"arn:aws:states:::{TASKS[name]}", "End": True}}
    try:
        machine = machines.create_state_machine(
            name=name, roleArn=ROLE, definition=json.dumps({"StartAt": "Run", "States": states})
        )["stateMachineArn"]
    except machines.exceptions.InvalidDefinition:
        return
    execution = machines.start_execution(stateMachineArn=machine)["executionArn"]
    end = time.monotonic() + LONG
    while (status := machines.describe_execution(executionArn=execution)["status"]) == "RUNNING":
        assert time.monotonic() < end
        time.sleep(0.1)
    assert status == "FAILED"


APIS = (
    "an HTTP API that calls",
    "a REST API that calls",
    "a task of Step Functions",
    "a call of the AWS SDK by Step Functions",
)


def test_every_row_that_was_not_only_read_is_tried():
    tried = [*EMPTY, *RECORDS, *PASSES]
    assert [
        gap.what
        for gap in GAPS
        if gap.what not in tried and not gap.what.endswith("(read)") and not gap.what.startswith(APIS)
    ] == []


def test_emulator_says_of_the_pipe_that_it_holds_its_records(world):
    assert HOLDS in world.log
