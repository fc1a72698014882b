"""Records of a stream and items of a table."""

import json
from decimal import Decimal

import pytest
from listener_fakes import client_error

from event_harness.errors import ProducerError
from event_harness.producers import (
    DynamoDBProducer,
    KinesisProducer,
)


def test_a_record_has_its_id_as_partition_key(make, service):
    sent = make(KinesisProducer).send(b"\xff")
    assert service.last == {"StreamName": "stream", "PartitionKey": sent.correlation_id, "Data": b"\xff"}


def test_a_record_with_another_partition_key_has_its_id_in_a_field(make, service):
    sent = make(KinesisProducer, field="id").send({"a": 1}, partition_key="customer")
    assert service.last["PartitionKey"] == "customer"
    assert json.loads(service.last["Data"]) == {"a": 1, "id": sent.correlation_id}
    with pytest.raises(ProducerError, match="set the producer's `field`"):
        make(KinesisProducer).send({}, partition_key="customer")
    make(KinesisProducer, field="id").send("{half", raw=True)
    assert service.last["Data"] == b"{half"


def test_an_item_has_its_id_as_the_partition_key_of_the_table(make, service):
    sent = make(DynamoDBProducer).send({"price": 1.5, "tags": ["a"], "raw": b"\x00", "set": {"x"}})
    assert service.last["Item"] == {
        "pk": {"S": sent.correlation_id},
        "price": {"N": "1.5"},
        "tags": {"L": [{"S": "a"}]},
        "raw": {"B": b"\x00"},
        "set": {"SS": ["x"]},
    }


def test_an_item_has_its_id_where_told(make, service):
    sent = make(DynamoDBProducer, field="order").send({"pk": "1", "n": Decimal("1.1")})
    assert service.last["Item"]["order"] == {"S": sent.correlation_id}
    assert [name for name, _ in service.asked] == ["put_item"]


def test_a_table_that_is_gone_is_named(make, service):
    service.error = client_error("ResourceNotFoundException")
    with pytest.raises(ProducerError, match="table table: ResourceNotFoundException"):
        make(DynamoDBProducer).send({})
