"""Objects put into a bucket."""

import pytest

from event_harness.errors import ProducerError
from event_harness.producers import (
    DynamoDBProducer,
    EventBridgeProducer,
    KinesisProducer,
    S3Producer,
    SnsProducer,
    SqsProducer,
)


def test_an_object_is_put_under_exactly_its_id(make, service):
    sent = make(S3Producer).send("ß", name="a b+ü/☃.txt")
    assert service.last["Key"] == sent.correlation_id
    assert sent.correlation_id.startswith("run/")
    assert sent.correlation_id.endswith("/a b+ü/☃.txt")
    assert service.last["Body"] == "ß".encode()
    assert sent.description == f"s3://bucket/{sent.correlation_id}"


def test_an_object_has_a_name_that_ends_in_txt_unless_told_otherwise(make):
    assert make(S3Producer).send("x").correlation_id.endswith("/input.txt")


def test_an_object_is_put_where_the_system_wants_it(make, service):
    sent = make(S3Producer, key="in/order-*.csv").send("x")
    assert service.last["Key"] == f"in/order-{sent.correlation_id}.csv"
    assert sent.description == f"s3://bucket/in/order-{sent.correlation_id}.csv"
    assert sent.correlation_id.count("/") == 1
    sent = make(S3Producer, key="in/*.csv").send("x", correlation_id="a/b")
    assert (service.last["Key"], sent.correlation_id) == ("in/run/a/b.csv", "run/a/b")


@pytest.mark.parametrize("key", ["in/", "*/*", ""])
def test_a_place_without_one_asterisk_is_refused(make, key):
    with pytest.raises(ProducerError, match="must have one asterisk, where the correlation id goes"):
        make(S3Producer, key=key)


def test_an_object_takes_any_bytes_and_none(make, service):
    make(S3Producer).send(b"\xff\x00")
    assert service.last["Body"] == b"\xff\x00"
    assert make(S3Producer).send("").size == 0


@pytest.mark.parametrize("own", [{"name": "x" * 1000 + ".txt"}, {"correlation_id": "é" * 600}])
def test_a_key_over_the_limit_of_s3_is_refused(make, own):
    with pytest.raises(ProducerError, match=r"key 'run/.*… has 1,\d\d\d bytes, S3 takes 1,024 at most"):
        make(S3Producer).send("x", **own)


def test_an_id_of_a_thousand_characters_is_taken_where_the_service_takes_it(make):
    for producer in (S3Producer, SqsProducer, SnsProducer, EventBridgeProducer, DynamoDBProducer):
        assert make(producer).send({}, correlation_id="x" * 1000).correlation_id == "run/" + "x" * 1000
    with pytest.raises(ProducerError, match="has 1004 characters, 256 are allowed"):
        make(KinesisProducer).send({}, correlation_id="x" * 1000)


def test_a_name_that_is_none_is_refused(make):
    with pytest.raises(ProducerError, match="name '': must"):
        make(S3Producer).send("x", name="")
    with pytest.raises(ProducerError, match="either a name or a correlation id"):
        make(S3Producer).send("x", name="a.txt", correlation_id="b")


def test_a_key_that_utf8_cannot_say_is_refused(make):
    with pytest.raises(ProducerError, match="half a surrogate pair"):
        make(S3Producer).send("x", name="\ud800")
    with pytest.raises(ProducerError, match="can't be sent"):
        make(S3Producer).send("\ud800")
