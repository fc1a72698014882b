import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listener_fakes import Queues, client_error, envelope, s3_event

from event_harness.results.failures import FailureReader, parse
from event_harness.system.correlation import new_id
from event_harness.system.known_ids import KnownIds

ID = "run/01ABC/a b+ü.txt"


@pytest.fixture
def queues():
    return Queues()


@pytest.fixture
def failures(queues):
    return FailureReader({"queue/p": "processor", "queue/l": "event_listener"}, queues)


def failure(body, **attributes):
    queues = Queues()
    queues.put("q", body, attributes)
    return parse(queues.messages["q"][0], "q", "processor")


def test_the_envelope_of_a_destination_is_read():
    found = failure(envelope(s3_event("k")))
    assert (found.condition, found.attempts) == ("RetriesExhausted", 3)
    assert (found.error_type, found.error_message) == ("NotUtf8Error", "not UTF-8")
    assert found.request_id == "11111111-1111-1111-1111-111111111111"
    assert found.event == s3_event("k")
    assert str(found).startswith("processor failed after 3 attempts: NotUtf8Error: not UTF-8 (request 1111")


def given_up(**more):
    body = envelope(None)
    del body["requestPayload"], body["responsePayload"]
    return body | more


RECORDS = {"shardId": "shardId-1", "startSequenceNumber": "495", "endSequenceNumber": "497", "batchSize": 3}


@pytest.mark.parametrize(("number", "mine"), [("495", True), ("497", True), ("496", False), (None, False)])
def test_records_of_a_stream_are_known_by_the_numbers_that_the_message_names(number, mine):
    ids = KnownIds()
    ids.note(ID, number)
    queues = Queues()
    queues.put("q", given_up(KinesisBatchInfo=RECORDS), {})
    assert parse(queues.messages["q"][0], "q", "processor", ids=ids).concerns(ID) is mine


def test_records_of_a_stream_are_known_by_the_inputs_of_the_request_that_failed(queues):
    asked = []

    def inputs_of(request_id):
        asked.append(request_id)
        return {"run/a", "run/b"}

    reader = FailureReader({"queue/p": "processor"}, queues, inputs_of=inputs_of)
    queues.put("queue/p", given_up(DDBStreamBatchInfo=RECORDS), {})
    queues.put("queue/p", envelope(s3_event("run/c")), {})
    reader.look()
    reader.look()
    assert [len(reader.of(one)) for one in ("run/a", "run/b", "run/c", "run/d")] == [1, 1, 1, 0]
    assert asked == ["11111111-1111-1111-1111-111111111111"]


def test_an_event_that_expired_has_no_error():
    body = envelope(s3_event("k"))
    body["requestContext"]["condition"] = "EventAgeExceeded"
    del body["responsePayload"]
    found = failure(body)
    assert found.condition == "EventAgeExceeded"
    assert "no error given (EventAgeExceeded)" in str(found)


def test_a_dead_letter_is_the_bare_event_with_its_error_in_attributes():
    found = failure(s3_event("run/a"), RequestID="r", ErrorCode="200", ErrorMessage="not UTF-8")
    assert found.event == s3_event("run/a")
    assert found.error_message == "not UTF-8"
    assert found.request_id == "r"
    assert found.concerns("run/a")


def test_a_dead_letter_of_a_rule_says_where_it_could_not_be_delivered():
    target = "arn:aws:sqs:eu-west-1:111122223333:parcels"
    queues = Queues()
    attributes = {
        "RULE_ARN": "arn:aws:events:eu-west-1:111122223333:rule/orders/placed",
        "TARGET_ARN": target,
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": "not authorized",
        "RETRY_ATTEMPTS": "2",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    }
    queues.put("q", {"source": "shop", "detail": {"correlation_id": "run/a"}}, attributes)
    found = parse(queues.messages["q"][0], "q", "orders", {target: "parcel_queue"})
    assert (found.component, found.undelivered, found.redriven) == ("orders", "parcel_queue", False)
    assert found.concerns("run/a")
    assert str(found) == (
        "orders could not deliver it to parcel_queue after 3 attempts: NO_PERMISSIONS: not authorized"
    )
    unknown = parse(queues.messages["q"][0], "q", "orders")
    assert unknown.undelivered == target


def test_a_dead_letter_of_a_pipe_names_the_pipe_and_the_condition():
    pipe = "arn:aws:pipes:eu-west-1:111122223333:pipe/shop-forward"
    body = {
        "context": {"partnerResourceArn": pipe, "condition": "RetryAttemptsExhausted"},
        "version": "1.0",
        "DDBStreamBatchInfo": {"shardId": "shardId-1", "batchSize": 1},
    }
    queues = Queues()
    queues.put("q", body, {})
    found = parse(queues.messages["q"][0], "q", "a or b", {pipe: "forward"})
    assert (found.component, found.redriven) == ("forward", False)
    assert str(found) == "forward failed: no error given (RetryAttemptsExhausted)"
    assert parse(queues.messages["q"][0], "q", "a or b").component == "shop-forward"


@pytest.mark.parametrize(
    "event",
    [
        s3_event("run/01ABC/a+b%2B%C3%BC.txt"),
        s3_event("incoming/run/01ABC/a+b%2B%C3%BC.txt"),
        {"Records": [{"Sns": {"MessageAttributes": {"correlation_id": {"Type": "String", "Value": ID}}}}]},
        {"Records": [{"messageAttributes": {"correlation_id": {"stringValue": ID}}}]},
        {"Records": [{"body": json.dumps({"Message": json.dumps({"order": {"id": ID}})})}]},
        {"detail": {"correlation_id": ID}},
        {"Records": [{"dynamodb": {"Keys": {"id": {"S": ID}}}}]},
        {"Records": [{"kinesis": {"partitionKey": ID, "data": ""}}]},
        {
            "Records": [
                {
                    "kinesis": {
                        "partitionKey": "p",
                        "data": base64.b64encode(json.dumps({"id": ID}).encode()).decode(),
                    }
                }
            ]
        },
        {"version": "1.0", "Records": [s3_event("other/x"), s3_event("run/01ABC/a+b%2B%C3%BC.txt")]},
    ],
    ids=[
        "s3",
        "s3 with a prefix",
        "sns",
        "sqs",
        "sns in sqs",
        "eventbridge",
        "dynamodb",
        "kinesis key",
        "kinesis data",
        "many records",
    ],
)
def test_an_input_is_found_in_the_event_of_any_source(event):
    assert failure(envelope(event)).concerns(ID)
    assert failure(event).concerns(ID)
    assert not failure(envelope(event)).concerns("run/01ABC/a b")
    assert not failure(envelope(event)).concerns("run/01ABD/a b+ü.txt")


def test_an_input_is_found_in_the_attributes_of_a_message_that_a_queue_gave_up():
    assert failure("plain text", correlation_id=ID).concerns(ID)


def test_an_id_is_found_in_a_key_with_a_prefix_and_an_extension():
    fresh = new_id("run")
    assert failure(envelope(s3_event(f"in/order-{fresh}.tar.gz"))).concerns(fresh)
    assert not failure(envelope(s3_event(f"in/{fresh}.d/other.csv"))).concerns(fresh)


def test_an_id_that_begins_like_another_is_not_taken_for_it():
    assert not failure(envelope(s3_event("run/order-17"))).concerns("run/order-1")


def test_a_message_that_is_no_json_is_a_failure_of_text():
    found = failure("what is this")
    assert found.event == "what is this"
    assert not found.concerns(ID)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@settings(max_examples=50)
@given(JSON | st.builds(envelope, JSON), st.text())
def test_no_message_whatever_it_holds_is_an_error(body, correlation_id):
    found = failure(body)
    assert isinstance(str(found), str)
    assert found.concerns(correlation_id) in (True, False)


def test_queues_are_peeked_into_whole_and_left_as_they_were(queues, failures):
    for number in range(25):
        queues.put("queue/p", envelope(s3_event(f"run/{number}")))
    queues.put("queue/l", envelope(s3_event("run/l"), function="event_listener"))
    assert len(failures.look()) == 26
    assert failures.of("run/24")[0].component == "processor"
    assert failures.of("run/l")[0].component == "event_listener"
    assert not queues.hidden
    assert len(queues.messages["queue/p"]) == 25


def test_a_message_is_new_only_once(queues, failures):
    queues.put("queue/p", envelope(s3_event("run/a")))
    assert len(failures.look()) == 1
    assert failures.look() == []
    assert len(failures.of("run/a")) == 1


def test_a_message_that_was_taken_out_is_not_of_later_looks(queues, failures):
    queues.put("queue/p", envelope(s3_event("run/a")))
    failures.look()
    before = failures.begun
    queues.messages.clear()
    failures.look()
    assert failures.of("run/a")
    assert failures.of("run/a", before) == []


def test_a_queue_that_cannot_be_read_does_not_hide_the_others(queues, failures):
    original = queues.receive_message

    def receive_message(*, QueueUrl, **more):  # noqa: N803
        if QueueUrl == "queue/p":
            raise client_error("AccessDenied")
        return original(QueueUrl=QueueUrl, **more)

    queues.receive_message = receive_message
    queues.put("queue/l", envelope(s3_event("run/l")))
    assert len(failures.look()) == 1
    assert list(failures.errors) == ["queue/p"]
    queues.receive_message = original
    failures.look()
    assert failures.errors == {}


def test_messages_are_given_back_even_if_reading_breaks_off(queues, failures):
    queues.put("queue/p", envelope(s3_event("run/a")))
    original, calls = queues.receive_message, []

    def receive_message(**more):
        calls.append(1)
        if len(calls) == 2:
            raise client_error("InternalError", status=500)
        return original(**more)

    queues.receive_message = receive_message
    failures.look()
    assert not queues.hidden
    assert failures.of("run/a")


OWNERS = {"confirm-order": "confirm_order", "ship-order": "ship_order", "orders": "queue"}


def owned(body, system=None):
    queues = Queues()
    queues.put("q", body)
    queues.messages["q"][0]["Attributes"] |= system or {}
    return parse(queues.messages["q"][0], "q", "the last to share it", OWNERS)


@pytest.mark.parametrize("qualifier", ["", ":$LATEST", ":live"])
def test_who_failed_is_the_function_that_the_message_names(qualifier):
    """Several functions may share a failure queue."""
    body = envelope(s3_event("k"), function="confirm-order")
    body["requestContext"]["functionArn"] = f"arn:aws:lambda:eu-west-1:1:function:confirm-order{qualifier}"
    assert owned(body).component == "confirm_order"


def test_a_function_that_is_no_component_is_named_and_no_other_is_blamed():
    assert owned(envelope(s3_event("k"), function="unknown")).component == "unknown"


def test_a_message_that_names_nobody_is_of_the_queues_component():
    body = envelope(s3_event("k"))
    del body["requestContext"]["functionArn"]
    assert owned(body).component == "the last to share it"


def test_a_message_of_a_redrive_policy_comes_from_the_queue_that_gave_it_up():
    source = {"DeadLetterQueueSourceArn": "arn:aws:sqs:eu-west-1:1:orders", "ApproximateReceiveCount": "4"}
    found = owned({"order": 1}, source)
    assert (found.component, found.redriven, found.attempts) == ("queue", True, None)
    assert str(found) == "queue: the message became a dead letter; it names no error"


def test_receives_in_the_failure_queue_do_not_count_as_attempts(queues, failures):
    """The number goes on there with each look, also of other processes."""
    queues.put("queue/p", {"order": 1})
    for receives in (3, 34, 152):
        queues.messages["queue/p"][0]["Attributes"]["ApproximateReceiveCount"] = str(receives)
        failures.look()
        assert [item.attempts for item in failures.all()] == [None]


def test_a_denied_call_is_told_with_its_action_and_resource_and_the_role_first():
    said = (
        "An error occurred (AccessDeniedException) when calling the PutItem operation: User: arn:aws:sts::1:"
        "assumed-role/price/f is not authorized to perform: dynamodb:PutItem on resource: "
        "arn:aws:dynamodb:r:1:table/t because no identity-based policy allows the dynamodb:PutItem action"
    )
    assert str(failure(envelope(s3_event("k"), "ClientError", said))).startswith(
        "processor failed after 3 attempts: the role price may not dynamodb:PutItem on "
        "arn:aws:dynamodb:r:1:table/t (access denied) (request 1111"
    )


def test_the_place_of_an_error_is_the_last_frame_in_the_functions_own_code():
    body = envelope(s3_event("k"))
    body["responsePayload"]["stackTrace"] = [
        '  File "/var/task/app.py", line 30, in handler\n    price(event)\n',
        '  File "/var/task/lib/prices.py", line 14, in price\n    load(event)\n',
        '  File "/opt/python/layer.py", line 5, in load\n    json.loads(event)\n',
        '  File "/var/lang/lib/python3.12/json/__init__.py", line 346, in loads\n    return x\n',
    ]
    found = failure(body)
    assert found.raised_at == "prices.py:14"
    assert "NotUtf8Error: not UTF-8 (prices.py:14) (request" in str(found)
    body["responsePayload"]["stackTrace"] = "no list"
    assert failure(body).raised_at is None


def test_the_emulators_number_of_attempts_is_wrong_and_not_told():
    body = envelope(s3_event("k"))
    body["requestContext"]["functionArn"] = "arn:aws:lambda:eu-west-1:000000000000:function:processor"
    assert failure(body).attempts is None
    assert str(failure(body)).startswith("processor failed: NotUtf8Error")


@pytest.mark.parametrize(
    ("error", "message", "why"),
    [
        ("RuntimeError", "Worker init failed: No module named 'nothere'", "No module named 'nothere'"),
        (
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'nothere'",
            "Unable to import module 'app': No module named 'nothere'",
        ),
        (
            "Runtime.HandlerNotFound",
            "Handler 'handlr' missing on module 'app'",
            "Handler 'handlr' missing on module 'app'",
        ),
    ],
)
def test_a_function_that_could_not_start_is_told_as_that(error, message, why):
    found = failure(envelope(s3_event("k"), error, message))
    assert found.not_started == why
    assert str(found) == f"processor can't start: {why}"


@pytest.mark.parametrize(
    "body",
    [
        {"requestContext": "text", "responsePayload": []},
        {"requestContext": {"functionArn": 1, "approximateInvokeCount": "many", "condition": {}}},
        {"requestContext": {"approximateInvokeCount": [3]}, "responsePayload": {"errorType": 1}},
        "[" * 100_000,
        "",
        "null",
        '"text"',
    ],
)
def test_a_message_that_anybody_has_put_there_is_read_whatever_it_says(body):
    queues = Queues()
    queues.put("q", body)
    queues.messages["q"][0]["Attributes"] = {"SentTimestamp": "9" * 30, "ApproximateReceiveCount": "x"}
    found = parse(queues.messages["q"][0], "q", "processor")
    assert (found.attempts, found.failed_at, found.error_type) == (None, None, None)
    assert not found.concerns("run/a")


def test_a_queue_of_thousands_is_read_to_its_end(queues, failures):
    for number in range(2_500):
        queues.put("queue/p", s3_event(f"run/{number}"))
    failures.look()
    assert len(failures.all()) == 2_500
    assert failures.unread == {}


def test_a_look_that_takes_too_long_says_how_far_it_came(queues):
    times = iter(range(0, 1000, 2))
    reader = FailureReader({"queue/p": "processor"}, queues, clock=lambda: next(times))
    for number in range(100):
        queues.put("queue/p", s3_event(f"run/{number}"))
    reader.look()
    assert reader.unread == {"queue/p": 30}
    assert queues.hidden == set()


def test_each_look_that_does_not_reach_the_end_of_a_queue_lets_the_next_read_further(queues):
    times = iter(range(0, 1000, 2))
    reader = FailureReader({"queue/p": "processor"}, queues, clock=lambda: next(times))
    for number in range(100):
        queues.put("queue/p", s3_event(f"run/{number}"))
    read = []
    for _ in range(3):
        reader.look()
        read.append(len(reader.all()))
    assert read == [30, 60, 100]
    assert (reader.unread, queues.hidden) == ({}, set())


def test_failures_are_told_by_input_for_many_inputs_at_once(queues):
    ids = KnownIds(["in/*.csv"])
    for number in range(100):
        ids.note(f"run/{number}")
    ids.note("run/1.txt")
    ids.note("run/raw", "given-7")
    failures = FailureReader({"queue/p": "processor"}, queues, ids=ids)
    for key in ("run/1", "in/run/1.txt.csv", "run/50.csv", "run/51.json", "run/999", "other/2"):
        queues.put("queue/p", envelope(s3_event(key)))
    queues.put("queue/p", envelope({"Records": [{"messageId": "given-7", "body": "{"}]}))
    failures.look()
    found = failures.by_input("run")
    assert set(found) == {"run/1", "run/1.txt", "run/50", "run/raw"}
    assert all(failures.of(key) == [failure] for key, failure in found.items())


def test_what_a_failure_says_of_itself_does_nothing_to_a_terminal():
    found = failure(envelope(s3_event("k"), message="\x1b[2Jgone\u202e"))
    assert "\x1b" not in str(found)
    assert "\u202e" not in str(found)
