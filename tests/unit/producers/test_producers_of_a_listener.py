"""Producers that send in a listener's session."""

import pytest
from listener_fakes import World

from event_harness.errors import ProducerError, ResourceMapError, SettingError
from event_harness.producers import (
    S3Producer,
    SqsProducer,
    producers_for,
)


def test_many_are_sent_lazily(make, service):
    sending = make(SqsProducer).send_many(iter(["a", "b"]))
    assert service.asked == []
    assert next(sending).component == "in"
    assert len(service.asked) == 1


def test_a_producer_of_a_listener_sends_in_its_session_and_within_its_limit():
    world = World()
    producer = S3Producer.on(world.listener)
    sent = producer.send("x")
    assert (sent.session_id, sent.component) == ("run", "source")
    assert world.listener.inflight.holders() == [sent.correlation_id]
    assert S3Producer.on(world.listener, "destination").component.identifier == "destination-bucket"


def test_a_producer_of_a_component_that_is_not_there_is_refused():
    world = World()
    with pytest.raises(ResourceMapError, match="no component 'x'"):
        S3Producer.on(world.listener, "x")
    with pytest.raises(ProducerError, match="component 'source' is of type s3, not sqs"):
        SqsProducer.on(world.listener)


def test_every_component_that_takes_inputs_has_its_producer():
    world = World()
    assert list(producers_for(world.listener)) == ["source", "destination"]


def test_a_system_that_takes_no_inputs_says_so():
    world = World()
    world.listener.resources = type(world.resources).from_mapping(
        {
            "schema": 1,
            "region": "r",
            "sources": {},
            "listener": {"function": "l"},
            "results": {"table": "t", "index": "i", "overflow_bucket": "o"},
            "components": [{"name": "fn", "type": "lambda", "function": "f"}],
        },
        "here",
    )
    with pytest.raises(ResourceMapError, match="here: none of its components takes inputs"):
        producers_for(world.listener)


def test_a_setting_that_a_producer_does_not_take_is_refused_with_those_that_it_takes():
    with pytest.raises(SettingError) as caught:
        producers_for(World().listener, {"source": {"prefix": "in/"}})
    assert str(caught.value) == "producer settings of 'source': a S3Producer takes no 'prefix'; valid: key"
