"""Waits in a system whose table and queues anybody writes to: nothing there fools them, or holds them up."""

import json
import time

import pytest

from event_harness.errors import UnexpectedResultError
from event_harness.producers import SqsProducer
from event_harness.results.redrive import redrive

HOUR = 3_600_000  # milliseconds
GARBAGE = [
    "",
    "[" * 5000,
    json.dumps({"requestContext": 5}),
    json.dumps({"requestContext": {"condition": {}, "approximateInvokeCount": "many"}, "responsePayload": 7}),
    json.dumps({"Records": [{"messageAttributes": {"correlation_id": {"stringValue": ["x"]}}}] * 50}),
    "\ud83d\ude00\x7f" * 1000,
    "9" * 5000,
]


@pytest.fixture(scope="module")
def listener(listener_of):
    return listener_of("hostile")


def put_item(listener, event_id, **attributes):
    """Write an item into the results table, in DynamoDB's notation."""
    item = {
        "session_id": {"S": listener.session_id},
        "event_id": {"S": event_id},
        "received_at": {"N": str(int(time.time() * 1000))},
        **attributes,
    }
    listener.target.client("dynamodb").put_item(TableName=listener.resources.results.table, Item=item)


def fill(listener, bodies):
    """Send messages to the failure queue, ten at a time."""
    sqs, queue = listener.target.client("sqs"), listener.resources.component("letters").failure_queue_url
    for start in range(0, len(bodies), 10):
        sqs.send_message_batch(
            QueueUrl=queue,
            Entries=[
                {"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 10])
            ],
        )


def failed(sent):
    """The message of a redrive policy: the input as it was."""
    return json.dumps({"order": sent.correlation_id})


def test_items_that_are_no_results_and_stamps_in_the_future_hold_up_no_wait(listener):
    put_item(listener, "foreign:1")
    put_item(listener, "foreign:2", metadata={"S": "no json"}, source={"N": "5"})
    put_item(listener, "foreign:3", event_time={"N": "1E+100"}, metadata={"S": "{}"})
    future = str(int(time.time() * 1000) + 24 * HOUR)
    put_item(listener, "future:1", received_at={"N": future}, correlation_id={"S": "x/y"})
    put_item(listener, "future:2", received_at={"N": "9" * 30})
    listener.results()
    letters = SqsProducer.on(listener, "letters")
    for text in ("one", "two"):
        sent = letters.send(text)
        assert listener.wait_for(sent, until=text, timeout=300)
    assert any("future:2" in named for named in listener.reader.unreadable)


def test_garbage_in_a_failure_queue_hides_no_failure_and_stops_no_replay(listener):
    sent = SqsProducer.on(listener, "letters").send("a letter")
    listener.wait_for(sent)
    fill(listener, [body for body in GARBAGE if body] + [failed(sent)])
    assert sent.correlation_id in json.dumps(listener.wait_for_failure(sent, timeout=300).event)
    said = []
    redrive(listener.resources, listener.target, components=["letters"], dry_run=True, say=said.append)
    assert said[-1] == f"{len(GARBAGE)} would be replayed"
    redrive(listener.resources, listener.target, components=["letters"], say=said.append)
    assert said[-1].startswith(f"{len(GARBAGE)} replayed")


def test_a_failure_behind_hundreds_of_messages_is_found(listener):
    """Of thousands, with a queue that costs nothing: tests/unit/results/test_failure_queues.py."""
    letters = SqsProducer.on(listener, "letters")
    sent = letters.send("a letter")
    listener.wait_for(sent)
    fill(listener, [f'{{"number": {number}}}' for number in range(300)])
    fill(listener, [failed(sent)])
    assert listener.wait_for_failure(sent, timeout=300)
    listener.target.client("sqs").purge_queue(
        QueueUrl=listener.resources.component("letters").failure_queue_url
    )


def test_inputs_of_a_fifo_queue_do_not_wait_for_each_other_unless_they_share_a_group(listener):
    parcels = SqsProducer.on(listener, "parcels")
    assert (
        listener.collect(parcels.send_many(str(number) for number in range(20)), source="parcels").missing
        == []
    )
    first = parcels.send("first", group_id="one")
    second = parcels.send("second", group_id="one")
    results = [listener.wait_for(sent, source="parcels") for sent in (first, second)]
    assert results[0].first_received_at <= results[1].first_received_at


def test_a_late_duplicate_is_seen_in_the_source_that_has_it(listener):
    letters, parcels = SqsProducer.on(listener, "letters"), SqsProducer.on(listener, "parcels")
    sent = letters.send("twice")
    listener.wait_for(sent)
    parcels.send("once", correlation_id=sent.correlation_id)
    assert len(listener.expect_exactly(sent, {"letters": 1, "parcels": 1})) == 2
    letters.send("twice", correlation_id=sent.correlation_id)
    with pytest.raises(UnexpectedResultError, match="exactly 1 from letters and 1 from parcels"):
        listener.expect_exactly(sent, {"letters": 1, "parcels": 1}, settle=120)
    assert listener.expect_exactly(sent, 1, source="parcels")
