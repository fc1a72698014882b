"""Each type of source but Kinesis, end to end: what a producer sends, the listener finds, whole."""

import json
import time
from dataclasses import replace

import pytest

from event_harness.errors import (
    BodyError,
    ProducerError,
    ResultsUnavailableError,
    UnexpectedResultError,
    WaitTimeoutError,
)
from event_harness.listening.listener import Listener
from event_harness.listening.readiness import await_ready
from event_harness.producers import (
    DynamoDBProducer,
    EventBridgeProducer,
    S3Producer,
    SnsProducer,
    SqsProducer,
)
from event_harness.system.correlation import new_session_id

# By the name of the source; each producer puts the correlation id where the source looks for it.
PRODUCERS = {
    "objects": (S3Producer, "objects", {}),
    "archive": (S3Producer, "archive", {"key": "out/*.json"}),
    "letters": (SqsProducer, "letters", {}),
    "parcels": (SqsProducer, "parcels", {"field": "order.id", "attribute": None}),
    "news": (SnsProducer, "news", {"attribute": "trace_id"}),
    "shop": (EventBridgeProducer, "company", {"field": "order.id", "source": "shop"}),
    "audit": (EventBridgeProducer, "company", {"detail_type": "audit"}),
    "customers": (DynamoDBProducer, "customers", {}),
    "bookings": (DynamoDBProducer, "bookings", {"field": "booking_id"}),
}
BODY = {"account": "a-1", "text": "grüß ☕ Привет", "number": 7, "list": [1, None, True]}


@pytest.fixture(scope="module")
def listener(listener_of):
    listener = listener_of("sources")
    for name in ("objects", "news", "shop", "audit"):  # what pushes may take a while to begin with
        await_ready(producer(listener, name), listener, BODY, limit=120)
    return listener


def producer(listener, name, **settings):
    kind, component, usual = PRODUCERS[name]
    return kind.on(listener, component, **usual | settings)


def content(result):
    """What was sent, as the result has it."""
    whole = result.json()
    return whole["new_image"] if result.source_type == "dynamodb" else whole


def uncorrelated(listener, mark):
    """The one uncorrelated result of this listener's table with this mark in its body, once it is there."""
    deadline = time.monotonic() + 120
    while True:
        found = [result for result in listener.results("uncorrelated") if mark.encode() in result.body]
        if found or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    (one,) = found
    return one


@pytest.mark.parametrize("name", PRODUCERS)
def test_event_of_every_source_arrives_whole_under_its_correlation_id(listener, name):
    result = listener.wait_for(sent := producer(listener, name).send(BODY))
    assert (result.source, result.correlation_id) == (name, sent.correlation_id)
    assert (result.source_type, result.deliveries) == (PRODUCERS[name][0].type, 1)
    assert content(result).items() >= BODY.items()
    assert result.event_time


@pytest.mark.parametrize("name", PRODUCERS)
def test_id_of_1000_characters_with_slashes_is_found(listener, name):
    own = f"{name}/ü/".ljust(999, "x")  # 1,000 bytes: ü has two
    result = listener.wait_for(producer(listener, name).send(BODY, correlation_id=own))
    assert result.case_id == own


def test_object_can_carry_its_correlation_id_in_its_body(listener):
    own = f"{listener.session_id}/in-the-body"
    sent = S3Producer.on(listener, "documents").send({"order": {"id": own}}, name="order.txt")
    result = listener.wait_for(replace(sent, correlation_id=own))
    assert result.metadata["key"] == sent.correlation_id


def test_object_that_no_filter_lets_through_is_not_recorded(listener):
    """Neither `in/*.json` nor `*.txt`."""
    producer = S3Producer.on(listener, "documents")
    sent = producer.send({"order": {"id": f"{listener.session_id}/unfiltered"}}, name="order.json")
    through = producer.send({"order": {"id": f"{listener.session_id}/filtered"}}, name="order.txt")
    outside, inside = (
        replace(one, correlation_id=f"{listener.session_id}/{name}")
        for one, name in ((sent, "unfiltered"), (through, "filtered"))
    )
    listener.expect_none(outside, within=3, sentinel=inside)


def test_any_bytes_of_an_object_come_back(listener):
    body = bytes(range(256))
    result = listener.wait_for(producer(listener, "objects").send(body))
    assert result.body == body
    with pytest.raises(BodyError, match="not UTF-8 at byte 128 of 256"):
        _ = result.text


def test_empty_object_comes_back_empty(listener):
    assert listener.wait_for(producer(listener, "objects").send("")).body == b""


@pytest.mark.parametrize("name", ["letters", "news", "shop"])
def test_bytes_that_are_no_text_are_refused_where_the_service_takes_text(listener, name):
    with pytest.raises(ProducerError, match=r"UTF-8|JSON"):
        producer(listener, name).send(b"\xff")


def test_binary_attributes_arrive_as_base64(listener):
    sent = producer(listener, "customers").send({"photo": b"\xff\x00"})
    assert content(listener.wait_for(sent))["photo"] == "/wA="
    sent = producer(listener, "letters").send("text", attributes={"photo": b"\xff\x00", "pages": 3})
    attributes = listener.wait_for(sent).metadata["message_attributes"]
    assert (attributes["photo"], attributes["pages"]) == ("/wA=", "3")


def test_object_of_5_mb_comes_through_the_overflow_bucket(listener):
    body = "ü" * 2_500_000
    result = listener.wait_for(producer(listener, "objects").send(body))
    assert (result.size, result.body_kind) == (5_000_000, "overflow")
    assert result.text == body


@pytest.mark.parametrize("name", ["letters", "parcels", "shop"])
def test_body_over_the_inline_limit_comes_through_the_overflow_bucket(listener, name):
    result = listener.wait_for(producer(listener, name).send(BODY | {"text": "ü" * 50_000}))
    assert result.body_kind == "overflow"
    assert result.json()["text"] == "ü" * 50_000


@pytest.mark.parametrize("name", ["letters", "news", "shop", "customers"])
def test_body_of_5_mb_is_refused_where_the_service_refuses_it(listener, name):
    with pytest.raises(ProducerError, match=r"5,000,.* bytes, \w+ takes .* at most; put the body into S3"):
        producer(listener, name).send({"text": "x" * 5_000_000})


def test_event_without_a_correlation_id_is_kept_and_the_timeout_names_it(listener):
    sent = producer(listener, "letters", attribute="another").send("a letter to nobody")
    found = uncorrelated(listener, "a letter to nobody")
    with pytest.raises(WaitTimeoutError) as error:
        listener.wait_for(sent, timeout=2)
    said = " ".join(str(error.value).split())
    assert "without a correlation id (there is no message attribute 'correlation_id')" in said
    assert (found.correlation_id, found.source) == (None, "letters")


def test_body_that_is_not_json_is_kept_as_uncorrelated_with_the_reason(listener):
    SqsProducer.on(listener, "parcels").send("{half a parcel")
    sentinel = producer(listener, "parcels").send(BODY)
    listener.wait_for(sentinel)
    found = uncorrelated(listener, "{half a parcel")
    assert found.metadata["correlation_error"].startswith("the body isn't JSON")


def test_strangers_event_on_the_shared_bus_is_recorded_only_if_the_pattern_lets_it_through(listener):
    shop = producer(listener, "shop")
    other = shop.send(BODY, source="warehouse")
    listener.expect_none(other, within=3, sentinel=shop.send(BODY))
    nameless = {"Source": "shop", "DetailType": "?", "Detail": '{"stranger": "nameless"}'}
    bus = listener.resources.component("company").bus
    listener.target.client("events").put_events(Entries=[nameless | {"EventBusName": bus}])
    listener.wait_for(shop.send(BODY))
    assert uncorrelated(listener, "nameless").metadata["source"] == "shop"


def test_event_that_two_rules_let_through_is_recorded_for_each_source(listener):
    other = Listener(listener.resources, listener.target, new_session_id(), sla=60)
    own = f"{other.session_id}/order"
    sent = producer(listener, "audit").send(BODY | {"order": {"id": own}}, source="shop")
    assert listener.wait_for(sent).source == "audit"
    assert other.wait_for(replace(sent, correlation_id=own)).source == "shop"


def test_another_session_on_the_same_system_is_not_disturbed(listener):
    other = Listener(listener.resources, listener.target, new_session_id(), sla=60)
    theirs = producer(other, "news").send("theirs")
    ours = producer(listener, "news").send("ours")
    assert other.wait_for(theirs).text == "theirs"
    assert listener.wait_for(ours).text == "ours"
    assert [result.text for result in other.results()] == ["theirs"]


def redeliver(listener, result):
    """Give the listener a message of the queue `letters` once more, as SQS may do."""
    attributes = {"correlation_id": {"dataType": "String", "stringValue": result.correlation_id}}
    record = {
        "messageId": result.metadata["message_id"],
        "body": result.text,
        "attributes": {},
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:{region}:{account}:{name}".format(
            region=listener.target.region,
            account=listener.target.check().account,
            name=listener.resources.component("letters").queue_url.rpartition("/")[2],
        ),
    }
    answer = listener.target.client("lambda").invoke(
        FunctionName=listener.resources.listener.function, Payload=json.dumps({"Records": [record]})
    )
    assert "FunctionError" not in answer


def test_redelivery_is_counted_and_is_no_second_result(listener):
    sent = producer(listener, "letters").send("once")
    redeliver(listener, listener.wait_for(sent))
    (result,) = listener.expect_exactly(sent, 1, settle=2)
    assert result.deliveries == 2


def test_duplicate_of_the_system_is_a_second_result(listener):
    letters = producer(listener, "letters")
    sent = letters.send("twice")
    letters.send("twice", correlation_id=sent.correlation_id)
    with pytest.raises(UnexpectedResultError, match=r"2 results .* where exactly 1 must come"):
        listener.expect_exactly(sent, 1, settle=120)


def test_batch_arrives_whole(listener):
    progress = []
    batch = producer(listener, "letters").send_many(str(number) for number in range(20))
    collected = listener.collect(batch, progress=lambda *now: progress.append(now))
    assert not collected.missing, collected
    assert progress[-1] == (20, 20)


def test_table_that_is_gone_is_said_at_once(listener):
    results = replace(listener.resources.results, table="gone")
    blind = Listener(replace(listener.resources, results=results), listener.target, new_session_id(), sla=60)
    with pytest.raises(ResultsUnavailableError, match="results table gone can't be read"):
        blind.wait_for(producer(blind, "letters").send("unread"), timeout=600)
