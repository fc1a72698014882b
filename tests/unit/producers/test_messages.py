"""Messages to a queue or topic, and events on a bus."""

import json
import re

import pytest

from event_harness.errors import ProducerError
from event_harness.producers import (
    EventBridgeProducer,
    SnsProducer,
    SqsProducer,
)
from event_harness.producers.inflight import InFlight
from event_harness.system.resources import Component


@pytest.mark.parametrize("producer", [SqsProducer, SnsProducer])
def test_a_message_carries_its_id_in_an_attribute(make, service, producer):
    sent = make(producer).send("text", attributes={"kind": "order", "n": 7, "raw": b"\x00"})
    assert service.last["MessageAttributes"] == {
        "kind": {"DataType": "String", "StringValue": "order"},
        "n": {"DataType": "Number", "StringValue": "7"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00"},
        "correlation_id": {"DataType": "String", "StringValue": sent.correlation_id},
    }
    assert "text" in (service.last.get("MessageBody"), service.last.get("Message"))


def test_a_message_carries_its_id_in_a_field_where_told_so(make, service):
    sent = make(SqsProducer, attribute=None, field="order.id").send({"order": {"total": 3}})
    assert json.loads(service.last["MessageBody"]) == {"order": {"total": 3, "id": sent.correlation_id}}
    assert service.last["MessageAttributes"] == {}


def test_the_body_that_was_given_is_not_changed(make):
    body = {"order": {}}
    make(SqsProducer, field="order.id").send(body)
    assert body == {"order": {}}


def test_a_field_that_is_taken_is_never_overwritten(make):
    sender = make(SqsProducer, field="order.id")
    with pytest.raises(ProducerError, match=r"has 'A-1' at 'order.id', where the correlation id belongs"):
        sender.send({"order": {"id": "A-1"}})
    with pytest.raises(ProducerError, match="'order' isn't an object there"):
        sender.send({"order": "A-1"})
    assert sender.send({"order": {"id": "run/A-1"}}, correlation_id="A-1").correlation_id == "run/A-1"


@pytest.mark.parametrize("body", ["text", b"\xff", [1], "[]"])
def test_a_field_needs_a_json_object(make, body):
    with pytest.raises(ProducerError, match="the body must be a JSON object"):
        make(SqsProducer, field="id").send(body)


def test_a_message_without_any_place_for_its_id_is_refused(make):
    with pytest.raises(ProducerError, match="give an attribute or a field"):
        make(SqsProducer, attribute=None)


@pytest.mark.parametrize("producer", [SqsProducer, SnsProducer])
def test_a_message_that_is_no_text_is_refused(make, producer):
    with pytest.raises(ProducerError, match="takes no empty body"):
        make(producer).send("")
    with pytest.raises(ProducerError, match="isn't UTF-8 at byte 1 of 2; encode it first, with base64"):
        make(producer).send(b"a\xff")


def test_an_attribute_that_is_none_is_refused(make):
    with pytest.raises(ProducerError, match="message attribute 'a' is ''"):
        make(SqsProducer).send("x", attributes={"a": ""})
    with pytest.raises(ProducerError, match="attribute 'correlation_id' carries the correlation id"):
        make(SqsProducer).send("x", attributes={"correlation_id": "mine"})


@pytest.mark.parametrize("producer", [SqsProducer, SnsProducer])
def test_a_fifo_has_a_group_and_never_drops_a_message_for_its_content(make, service, producer):
    name = {"sqs": "queue_url", "sns": "topic_arn"}[producer.type]
    sender = make(producer, Component("in", producer.type, **{name: "x.fifo"}))
    sent = sender.send("same")
    first = service.last
    sender.send("same")
    assert first["MessageGroupId"] != service.last["MessageGroupId"]
    sender.send("same", correlation_id=sent.correlation_id)
    assert first["MessageGroupId"] == service.last["MessageGroupId"]
    assert re.fullmatch("[0-9a-f]{64}", first["MessageGroupId"])
    assert first["MessageDeduplicationId"] != service.last["MessageDeduplicationId"]
    sender.send("same", group_id="g", deduplication_id="d")
    assert (service.last["MessageGroupId"], service.last["MessageDeduplicationId"]) == ("g", "d")


def test_all_inputs_of_a_producer_may_share_a_message_group(make, service):
    sender = make(SqsProducer, Component("in", "sqs", queue_url="x.fifo"), group_id="all")
    sender.send("one")
    assert service.last["MessageGroupId"] == "all"
    sender.send("two", group_id="own")
    assert service.last["MessageGroupId"] == "own"


@pytest.mark.parametrize("producer", [SqsProducer, SnsProducer])
def test_malformed_input_is_sent_as_it_is_when_it_is_asked_for(make, service, producer):
    sent = make(producer, field="order.id").send("{half an order", raw=True)
    assert "{half an order" in (service.last.get("MessageBody"), service.last.get("Message"))
    assert service.last["MessageAttributes"]["correlation_id"]["StringValue"] == sent.correlation_id


def test_malformed_input_without_an_attribute_is_known_by_the_id_of_its_message(make, service):
    service.answers["send_message"] = {"MessageId": "message-7"}
    inflight = InFlight(None)
    sent = make(SqsProducer, field="id", attribute=None, inflight=inflight).send("{", raw=True)
    assert service.last["MessageAttributes"] == {}
    assert inflight.ids.given == {sent.correlation_id: "message-7"}


def test_a_detail_is_sent_without_the_id_when_it_is_asked_for(make, service):
    service.answers["put_events"] = {"Entries": [{"EventId": "event-7"}]}
    inflight = InFlight(None)
    sent = make(EventBridgeProducer, inflight=inflight).send({"a": 1}, raw=True)
    assert json.loads(service.last["Entries"][0]["Detail"]) == {"a": 1}
    assert inflight.ids.given == {sent.correlation_id: "event-7"}


def test_an_event_carries_its_id_in_its_detail(make, service):
    sent = make(EventBridgeProducer, source="shop").send({"total": 3}, detail_type="placed")
    (entry,) = service.last["Entries"]
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("bus", "shop", "placed")
    assert json.loads(entry["Detail"]) == {"total": 3, "correlation_id": sent.correlation_id}


def test_an_event_that_the_bus_refuses_is_an_error(make, service):
    service.answers["put_events"] = {
        "FailedEntryCount": 1,
        "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}],
    }
    with pytest.raises(ProducerError, match="could not be sent: InternalFailure: no"):
        make(EventBridgeProducer).send({})


def test_what_filters_look_at_is_kept_for_explanations_and_never_shown(make):
    sent = make(SnsProducer).send({"kind": "secret"}, attributes={"n": 7})
    assert sent.filtered["attributes"] == {"n": 7, "correlation_id": sent.correlation_id}
    assert sent.filtered["body"] == {"kind": "secret"}
    assert sent.filtered["record"]["body"] == {"kind": "secret"}
    assert "secret" not in f"{sent} {sent!r}"
    assert "body" not in make(SnsProducer).send("no JSON").filtered
    assert set(make(SnsProducer).send("x" * 100_000).filtered) == {"attributes"}


def test_of_an_event_what_rules_look_at_is_kept(make):
    sent = make(EventBridgeProducer).send({"kind": "order"})
    assert sent.filtered["event"]["source"] == "event-harness"
    assert sent.filtered["event"]["detail-type"] == "test"
    assert sent.filtered["event"]["detail"]["kind"] == "order"
    assert make(EventBridgeProducer).send({"large": "x" * 100_000}).filtered == {}
