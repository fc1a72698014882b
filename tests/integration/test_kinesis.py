"""The sixth type of source, Kinesis, end to end; a file of its own, since its stream is slow to create."""

import gzip
import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from event_harness.errors import ProducerError
from event_harness.producers import KinesisProducer


@pytest.fixture(scope="module")
def listener(listener_of):
    return listener_of("kinesis")


@pytest.fixture(scope="module")
def producer(listener):
    return KinesisProducer.on(listener)


@pytest.mark.parametrize("body", ["grüß ☕ Привет", bytes(range(256)), "x", "ü" * 250_000])
def test_record_comes_back_whole(producer, listener, body):
    sent = producer.send(body)
    result = listener.wait_for(sent)
    assert result.body == (body if isinstance(body, bytes) else body.encode())
    assert (result.source, result.source_type, result.deliveries) == ("clicks", "kinesis", 1)
    assert result.metadata["partition_key"] == sent.correlation_id
    assert abs(result.event_time - datetime.fromtimestamp(sent.sent_at, UTC)).total_seconds() < 120


def test_records_of_one_key_arrive_in_their_order(producer, listener):
    first = producer.send("0")
    for number in range(1, 5):
        producer.send(str(number), correlation_id=first.correlation_id)
    assert [result.text for result in listener.wait_for(first, count=5)] == list("01234")


def test_sentinel_on_an_ordered_way_proves_at_once_that_nothing_came(producer, listener):
    """One shard, and so what is sent later arrives later."""
    elsewhere = producer.send("under another key", correlation_id="elsewhere")
    nothing = replace(elsewhere, correlation_id=f"{listener.session_id}/nothing")
    none = listener.expect_none(nothing, within=60, sentinel=producer.send("sentinel"), ordered=True)
    assert none.proof == "sentinel"


def test_id_of_256_characters_with_slashes_is_found_and_a_longer_one_refused(producer, listener):
    own = "clicks/ü/".ljust(256 - len(f"{listener.session_id}/"), "x")
    assert listener.wait_for(producer.send("long", correlation_id=own)).case_id == own
    with pytest.raises(ProducerError, match="256 are allowed; take a shorter correlation id"):
        producer.send("too long", correlation_id=own + "x")


def test_batch_arrives_whole(producer, listener):
    collected = listener.collect(producer.send_many(str(number) for number in range(20)))
    assert not collected.missing, collected


def aggregated(*records):
    """What the Kinesis Producer Library puts into one record; each text has fewer than 128 bytes."""

    def field(number, value):
        return bytes([number << 3 | 2, len(value)]) + value

    message = b"".join(field(1, key.encode()) for key, _ in records)
    for number, (_, data) in enumerate(records):
        message += field(3, bytes([1 << 3, number]) + field(3, data))
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message, usedforsecurity=False).digest()


def test_each_record_that_the_producer_library_has_aggregated_is_a_result(producer, listener):
    inputs = [listener.sent(f"record {number}", component="clicks") for number in range(3)]
    records = [(sent.correlation_id, f"content {number}".encode()) for number, sent in enumerate(inputs)]
    producer.send(aggregated(*records), correlation_id="aggregate")
    for number, sent in enumerate(inputs):
        (result,) = listener.expect_exactly(sent, 1, settle=0.5)
        assert result.text == f"content {number}"
        assert result.metadata["unwrapped"] == ["kpl"]


def test_compressed_record_is_found(producer, listener):
    sent = producer.send(gzip.compress("grüß".encode()))
    assert listener.wait_for(sent).text == "grüß"
