"""Bodies are found where services and clients have wrapped them."""

import base64
import gzip
import json

import pytest

from event_harness.producers import EventBridgeProducer, S3Producer, SnsProducer, SqsProducer

POINTER = "software.amazon.payloadoffloading.PayloadS3Pointer"
KEYS = ["a b.txt", "plus+ü.txt", "100%2B.txt"]


@pytest.fixture(scope="module")
def listener(listener_of):
    return listener_of("wrappings")


def bucket(listener, name):
    return listener.resources.component(name).bucket


@pytest.mark.parametrize("name", KEYS)
def test_an_object_is_found_in_a_notification_in_a_queue(listener, name):
    sent = S3Producer.on(listener, "uploads").send("content", name=name)
    result = listener.wait_for(sent)
    assert (result.text, result.source, result.source_type) == ("content", "uploads", "sqs")
    assert result.metadata["key"] == sent.correlation_id
    assert result.metadata["key"].endswith(f"/{name}")
    assert result.metadata["unwrapped"] == ["s3"]


@pytest.mark.parametrize("name", KEYS)
def test_an_object_is_found_in_a_notification_of_a_topic_and_in_its_queue(listener, name):
    sent = S3Producer.on(listener, "scans").send("content", name=name)
    results = {result.source: result for result in listener.wait_for(sent, count=2)}
    assert {result.text for result in results.values()} == {"content"}
    assert results["scans"].metadata["unwrapped"] == ["s3"]
    assert results["copies"].metadata["unwrapped"] == ["sns", "s3"]


@pytest.mark.parametrize("name", KEYS)
def test_an_object_is_found_in_an_event_of_s3_on_a_bus(listener, name):
    listener.target.client("s3").put_bucket_notification_configuration(
        Bucket=bucket(listener, "reports"), NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    producer = S3Producer.on(listener, "reports", key="reports/*.json")
    result = listener.wait_for(producer.send({"rows": 3}, correlation_id=name))
    assert (result.json(), result.case_id) == ({"rows": 3}, name)


def test_each_version_of_an_object_is_its_own_result_with_its_own_content(listener):
    producer = S3Producer.on(listener, "uploads")
    key = producer.new_key("versions.txt")
    for text in ("first", "second", "third"):
        sent = producer.send(text, correlation_id=key)
    results = listener.expect_exactly(sent, 3, settle=1)
    assert sorted(result.text for result in results) == ["first", "second", "third"]


def test_a_message_is_found_in_a_notification_in_a_queue(listener):
    sent = SnsProducer.on(listener, "news").send("hello", attributes={"colour": "blue"})
    result = listener.wait_for(sent, source="copies")
    assert result.text == "hello"
    assert result.metadata["message_attributes"]["colour"] == "blue"


def test_a_detail_is_found_in_an_event_in_a_queue(listener):
    sent = EventBridgeProducer.on(listener, "shop", source="shop").send({"total": 3})
    result = listener.wait_for(sent, source="copies")
    assert result.json() == {"total": 3, "correlation_id": sent.correlation_id}
    assert result.metadata["detail-type"] == "test"


def packed(id_, wrap):
    return wrap(json.dumps({"correlation_id": id_, "total": 3}).encode())


@pytest.mark.parametrize(
    "wrap",
    [base64.b64encode, lambda content: base64.b64encode(gzip.compress(content))],
    ids=["base64", "base64 of gzip"],
)
def test_a_packed_message_is_found(listener, wrap):
    sent = listener.sent("a packed message", component="parcels")
    listener.target.client("sqs").send_message(
        QueueUrl=listener.resources.component("parcels").queue_url,
        MessageBody=packed(sent.correlation_id, wrap).decode(),
    )
    assert listener.wait_for(sent).json()["total"] == 3


def test_a_message_that_an_extended_client_has_moved_to_s3_is_found(listener):
    sent = listener.sent("a large message", component="parcels")
    listener.target.client("s3").put_object(
        Bucket=bucket(listener, "large"), Key="moved", Body=b"x" * 300_000 + "ü".encode()
    )
    listener.target.client("sqs").send_message(
        QueueUrl=listener.resources.component("parcels").queue_url,
        MessageBody=json.dumps([POINTER, {"s3BucketName": bucket(listener, "large"), "s3Key": "moved"}]),
        MessageAttributes={
            "ExtendedPayloadSize": {"DataType": "Number", "StringValue": "300002"},
            "correlation_id": {"DataType": "String", "StringValue": sent.correlation_id},
        },
    )
    result = listener.wait_for(sent)
    assert (result.size, result.text[-1]) == (300_002, "ü")
    assert result.metadata["unwrapped"] == ["s3_pointer"]


def test_a_message_of_the_systems_own_that_looks_similar_stays_as_it_is(listener):
    sent = SqsProducer.on(listener, "parcels").send(body := '{"Type": "Notification", "Message": "x"}')
    assert listener.wait_for(sent).text == body
