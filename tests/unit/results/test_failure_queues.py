import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listener_fakes import Queues, client_error, envelope, s3_event

from event_harness.results.failures import FailureReader, parse

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


def test_an_event_that_expired_has_no_error():
    body = envelope(s3_event("k"))
    body["requestContext"]["condition"] = "EventAgeExceeded"
    del body["responsePayload"]
    found = failure(body)
    assert found.condition == "EventAgeExceeded"
    assert "no error given" in str(found)


def test_a_dead_letter_is_the_bare_event_with_its_error_in_attributes():
    found = failure(s3_event("run/a"), RequestID="r", ErrorCode="200", ErrorMessage="not UTF-8")
    assert found.event == s3_event("run/a")
    assert found.error_message == "not UTF-8"
    assert found.request_id == "r"
    assert found.concerns("run/a")


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
    assert failure(envelope(s3_event("in/order-run/01ABC.tar.gz"))).concerns("run/01ABC")
    assert not failure(envelope(s3_event("in/run/01ABC.d/other.csv"))).concerns("run/01ABC")


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


@settings(deadline=None, max_examples=50)
@given(JSON | st.builds(envelope, JSON), st.text())
def test_no_message_whatever_it_holds_is_an_error(body, correlation_id):
    found = failure(body)
    str(found)
    found.concerns(correlation_id)


def test_queues_are_peeked_into_whole_and_left_as_they_were(queues, failures):
    for number in range(25):
        queues.put("queue/p", envelope(s3_event(f"run/{number}")))
    queues.put("queue/l", envelope(s3_event("run/l")))
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
