"""Replaying failed inputs: nothing is deleted before somebody has accepted it."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from event_harness.errors import SettingError
from event_harness.results.redrive import redrive
from event_harness.system.graph.model import Edge, Graph, Node
from event_harness.system.resources import Component, Function, ResourceMap, Results

NOW = 1_000_000


class FakeAws:
    """A failure queue, and a function and a queue that take what is replayed.

    Short polling asks servers of SQS on which no message lies.
    """

    def __init__(self):
        self.messages = []
        self.hidden = []
        self.calls = []
        self.refuses = False
        self.unreadable = False

    def client(self, _service):
        return self

    def add(self, body, *, sent=NOW - 60, **attributes):
        number = len(self.messages) + len(self.hidden)
        self.messages.append(
            {
                "MessageId": f"m{number}",
                "ReceiptHandle": f"h{number}",
                "Body": json.dumps(body),
                "Attributes": {"SentTimestamp": str(sent * 1000)},
                "MessageAttributes": attributes,
            }
        )

    def receive_message(self, WaitTimeSeconds=0, **_arguments):  # noqa: N803 (boto3's)
        if self.unreadable:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ReceiveMessage")
        asked = 10 if WaitTimeSeconds else 0
        taken, self.messages = self.messages[:asked], self.messages[asked:]
        self.hidden += taken
        date = "Mon, 12 Jan 1970 13:46:40 GMT"
        return {"Messages": taken, "ResponseMetadata": {"HTTPHeaders": {"date": date}}}

    def delete_message(self, ReceiptHandle, **_arguments):  # noqa: N803
        self.calls.append(f"delete {ReceiptHandle}")
        self.hidden = [m for m in self.hidden if m["ReceiptHandle"] != ReceiptHandle]

    def change_message_visibility(self, ReceiptHandle, **_arguments):  # noqa: N803
        if f"delete {ReceiptHandle}" in self.calls:
            code = "InvalidParameterValue"
            raise ClientError({"Error": {"Code": code, "Message": "deleted"}}, "ChangeMessageVisibility")
        self.messages += [m for m in self.hidden if m["ReceiptHandle"] == ReceiptHandle]
        self.hidden = [m for m in self.hidden if m["ReceiptHandle"] != ReceiptHandle]

    def change_message_visibility_batch(self, Entries, **_arguments):  # noqa: N803
        for entry in Entries:
            self.change_message_visibility(entry["ReceiptHandle"])

    def invoke(self, FunctionName, InvocationType, Payload):  # noqa: N803
        assert InvocationType == "Event"
        if self.refuses:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "no"}}, "Invoke")
        self.calls.append(f"invoke {FunctionName} {Payload.decode()}")

    def send_message(self, **arguments):
        self.calls.append(f"send {arguments}")


def envelope(event, function=None):
    context = {"condition": "RetriesExhausted"}
    if function:
        context["functionArn"] = f"arn:aws:lambda:eu-west-1:1:function:{function}:$LATEST"
    return {"requestContext": context, "requestPayload": event}


def system(*components):
    return ResourceMap(
        "eu-west-1", Results("t", "i", "b"), Function("listener", "/l", None), {}, components, "somewhere"
    )


FUNCTION = Component("shouter", "lambda", function="shout", log_group="/s", failure_queue_url="http://q")


@pytest.fixture
def aws():
    return FakeAws()


def silent(_line):
    pass


def test_event_is_deleted_only_after_the_function_has_accepted_it(aws):
    aws.add(envelope({"a": "ä"}))
    assert redrive(system(FUNCTION), aws, say=silent) == 0
    assert aws.calls == ['invoke shout {"a": "ä"}', "delete h0"]
    assert not aws.messages + aws.hidden


def test_event_with_half_a_surrogate_pair_is_replayed(aws):
    aws.add(envelope({"a": "\ud800ä"}))
    assert redrive(system(FUNCTION), aws, say=silent) == 0
    assert aws.calls[0] == 'invoke shout {"a": "\\ud800\\u00e4"}'


@pytest.mark.parametrize(
    "bad",
    [
        {"requestContext": 5},
        {"requestContext": {"condition": ["x"]}, "requestPayload": None, "responsePayload": {"errorType": 7}},
        "[" * 100_000,
        [[[]]],
        None,
    ],
    ids=lambda bad: str(bad)[:40],
)
def test_message_that_cannot_be_replayed_keeps_no_other_from_it(aws, bad):
    aws.add(bad)
    aws.messages[0]["Body"] = bad if isinstance(bad, str) else aws.messages[0]["Body"]
    aws.messages[0]["Attributes"] = {"SentTimestamp": "9" * 30}
    aws.add(envelope("good"))
    assert redrive(system(FUNCTION), aws, say=silent) == 1
    assert 'invoke shout "good"' in aws.calls
    assert [message["MessageId"] for message in aws.messages] == ["m0"]


def test_messages_that_stay_and_come_round_again_end_the_replay(aws):
    for number in range(25):
        aws.add({"of": "somebody else", "number": number})
    original = aws.receive_message

    def receive_message(**arguments):
        if not aws.messages:  # the time for which they were hidden is over
            aws.messages, aws.hidden = aws.hidden, []
        return original(**arguments)

    aws.receive_message = receive_message
    assert redrive(system(FUNCTION), aws, say=silent) == 1


def test_event_that_nobody_accepts_is_visible_again(aws):
    aws.add(envelope({"a": 1}))
    aws.refuses = True
    said = []
    assert redrive(system(FUNCTION), aws, say=said.append) == 1
    assert aws.calls == []
    assert len(aws.messages) == 1
    assert "TooManyRequestsException: no" in said[0]


def test_more_than_one_receive_can_hold_are_all_put_back(aws):
    for number in range(25):
        aws.add(envelope(number))
    assert redrive(system(FUNCTION), aws, say=silent) == 0
    assert sum(call.startswith("invoke") for call in aws.calls) == 25


def test_what_failed_again_meanwhile_is_left_for_the_next_time(aws):
    aws.add(envelope("old"))
    aws.add(envelope("new"), sent=NOW + 5)
    redrive(system(FUNCTION), aws, say=silent)
    assert aws.calls == ['invoke shout "old"', "delete h0"]
    assert [m["MessageId"] for m in aws.messages] == ["m1"]


def test_dry_run_changes_nothing(aws):
    aws.add(envelope({}))
    said = []
    assert redrive(system(FUNCTION), aws, dry_run=True, say=said.append) == 0
    assert aws.calls == []
    assert len(aws.messages) == 1
    assert said[-1] == "1 would be replayed"


@pytest.mark.parametrize("dry_run", [True, False])
def test_queue_that_cannot_be_read_is_told_and_a_failure(aws, dry_run):
    aws.unreadable = True
    said = []
    assert redrive(system(FUNCTION), aws, dry_run=dry_run, say=said.append) == 1
    assert said[0] == (
        "failure queue of shouter can't be read: AccessDenied: no;"
        " is it deployed, and do you have sqs:ReceiveMessage on it?"
    )


def test_event_of_a_dead_letter_queue_of_lambda_is_put_back(aws):
    aws.add({"bare": 1}, RequestID={"StringValue": "r", "DataType": "String"})
    assert redrive(system(FUNCTION), aws, say=silent) == 0
    assert aws.calls[0] == 'invoke shout {"bare": 1}'


BUS = Node("rule", "plant", "aws_cloudwatch_event_bus", "eventbridge", "plant")
LETTERS = Node("letters", "letters", "aws_sqs_queue", "sqs", "https://sqs/1/letters")
RULE = Edge("rule", "letters", "dead-letter queue of rule hot", failure=True)


@pytest.mark.parametrize("dry_run", [True, False])
def test_dead_letter_of_a_rule_is_named_and_stays(aws, dry_run):
    graph = Graph({"rule": BUS, "letters": LETTERS}, (RULE,))
    text = {"StringValue": "arn:aws:events:eu-west-1:1:rule/hot", "DataType": "String"}
    target = {"StringValue": "arn:aws:sqs:eu-west-1:1:alarms", "DataType": "String"}
    aws.add({"detail": {}}, RULE_ARN=text, TARGET_ARN=target)
    said = []
    code = redrive(replace(system(), graph=graph), aws, dry_run=dry_run, say=said.append)
    assert code == (0 if dry_run else 1)
    (line,) = [one for one in said if one.startswith("not replayed: plant could not deliver it to arn:")]
    assert "https://sqs/1/letters, the dead-letter queue of a rule" in line
    assert (len(aws.messages), [call for call in aws.calls if not call.startswith("hide")]) == (1, [])


def test_message_that_only_names_records_of_a_stream_stays(aws):
    aws.add({"requestContext": {"condition": "RetryAttemptsExhausted"}, "KinesisBatchInfo": {}})
    said = []
    assert redrive(system(FUNCTION), aws, say=said.append) == 1
    assert "read them from the stream" in said[0]
    assert len(aws.messages) == 1


def test_message_that_is_no_event_of_the_function_stays(aws):
    aws.add({"of": "somebody else"})
    assert redrive(system(FUNCTION), aws, say=silent) == 1
    assert len(aws.messages) == 1


@pytest.mark.parametrize(("url", "ordered"), [("http://orders", False), ("http://orders.fifo", True)])
def test_message_of_a_dead_letter_queue_goes_back_to_its_queue(aws, url, ordered):
    aws.add("an order", correlation_id={"StringValue": "r/1", "DataType": "String"})
    queue = Component("orders", "sqs", queue_url=url, failure_queue_url="http://dead")
    assert redrive(system(queue), aws, say=silent) == 0
    assert "'QueueUrl': '" + url in aws.calls[0]
    assert "r/1" in aws.calls[0]
    assert ("MessageGroupId" in aws.calls[0]) == ordered
    assert aws.calls[1] == "delete h0"


WHISPERER = Component("whisperer", "lambda", function="whisper", log_group="/w", failure_queue_url="http://q")
ORDERS = Component("orders", "sqs", queue_url="http://orders", failure_queue_url="http://q")
SHARED = system(FUNCTION, WHISPERER, ORDERS)


def test_of_components_that_share_a_queue_the_one_that_the_message_names_gets_it(aws):
    aws.add(envelope(1, "whisper"))
    aws.add(envelope(2, "shout"))
    aws.add("an order")
    aws.messages[2]["Attributes"]["DeadLetterQueueSourceArn"] = "arn:aws:sqs:eu-west-1:1:orders"
    said = []
    assert redrive(SHARED, aws, say=said.append) == 0
    assert aws.calls[0] == "invoke whisper 1"
    assert aws.calls[2] == "invoke shout 2"
    assert aws.calls[4].startswith("send {'QueueUrl': 'http://orders'")
    assert said[0].startswith("replayed: whisperer failed")
    assert said[-1] == "3 replayed, 0 not"


@pytest.mark.parametrize("dry_run", [True, False])
def test_of_components_that_share_a_queue_only_the_named_one_is_replayed(aws, dry_run):
    aws.add(envelope(1, "whisper"))
    aws.add(envelope(2, "shout"))
    said = []
    assert redrive(SHARED, aws, components=["shouter"], dry_run=dry_run, say=said.append) == 0
    assert [call for call in aws.calls if call.startswith("invoke")] == ["invoke shout 2"] * (not dry_run)
    assert said[-1] == ("1 would be replayed" if dry_run else "1 replayed, 0 not")
    assert "m0" in [message["MessageId"] for message in aws.messages]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_message_of_a_function_that_is_no_component_is_replayed_to_nobody(aws, dry_run):
    aws.add(envelope(1, "elsewhere"))
    said = []
    redrive(SHARED, aws, dry_run=dry_run, say=said.append)
    assert aws.calls == []
    assert "replayed: elsewhere failed" in said[0]
    assert said[0].endswith("elsewhere is no component with this failure queue")
    assert len(aws.messages) == 1


def test_a_message_that_names_no_function_needs_the_component_where_several_share_the_queue(aws):
    aws.add({"bare": 1}, RequestID={"StringValue": "r", "DataType": "String"})
    said = []
    assert redrive(SHARED, aws, say=said.append) == 1
    assert "shouter and whisperer share the queue: name one with --component" in said[0]
    assert redrive(SHARED, aws, components=["whisperer"], say=silent) == 0
    assert aws.calls[0] == 'invoke whisper {"bare": 1}'


def test_unknown_component_is_an_error_that_names_those_there_are(aws):
    with pytest.raises(SettingError, match="no component 'x' has a failure queue; there are: shouter"):
        redrive(system(FUNCTION), aws, components=["x"])
