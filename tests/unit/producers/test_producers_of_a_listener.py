"""Producers that send in a listener's session."""

import pytest
from listener_fakes import World

from event_harness.errors import ProducerError, ResourceMapError, SettingError
from event_harness.producers import (
    EventBridgeProducer,
    HttpProducer,
    LambdaProducer,
    S3Producer,
    SqsProducer,
    StepFunctionsProducer,
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
    assert list(producers_for(world.listener)) == ["source", "processor", "destination"]


def test_a_system_that_takes_no_inputs_says_so():
    world = World()
    world.listener.resources = type(world.resources).from_mapping(
        {
            "schema": 1,
            "region": "r",
            "sources": {},
            "listener": {"function": "l"},
            "results": {"table": "t", "index": "i", "overflow_bucket": "o"},
            "components": [{"name": "printer", "type": "other", "resource": "the printer"}],
        },
        "here",
    )
    with pytest.raises(ResourceMapError, match="here: none of its components takes inputs"):
        producers_for(world.listener)


def test_a_setting_that_a_producer_does_not_take_is_refused_with_those_that_it_takes():
    with pytest.raises(SettingError) as caught:
        producers_for(World().listener, {"source": {"prefix": "in/"}})
    assert (
        str(caught.value) == "producer settings of 'source': S3Producer has no setting 'prefix'; valid: key"
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"source": ["key"]},
            "producer settings of 'source' are ['key']; must be a dictionary; S3Producer takes: key",
        ),
        (["source"], "producer settings are ['source']; must be a dictionary, such as "),
    ],
)
def test_settings_that_are_no_dictionary_are_refused(settings, said):
    with pytest.raises(SettingError) as caught:
        producers_for(World().listener, settings)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("producer", "mistyped", "said"),
    [
        (SqsProducer, "feild", "no setting 'feild'; did you mean 'field'? valid: attribute, field, group_id"),
        (HttpProducer, "heder", "did you mean 'header'? valid: path, method, header, field, query, headers"),
        (StepFunctionsProducer, "synch", "did you mean 'sync'? valid: field, name, sync"),
        (EventBridgeProducer, "detailtype", "did you mean 'detail_type'? valid: field, source, detail_type"),
    ],
)
def test_a_mistyped_setting_is_answered_with_the_nearest_and_all_valid_ones(producer, mistyped, said):
    with pytest.raises(SettingError) as caught:
        producer.on(World().listener, "source", **{mistyped: "x"})
    assert str(caught.value).startswith(f"{producer.__name__}.on: {producer.__name__} has ")
    assert said in str(caught.value)
    assert "inflight" not in str(caught.value)
    assert "caller" not in str(caught.value)


@pytest.mark.parametrize(
    ("producer", "settings", "said"),
    [
        (SqsProducer, {"field": 7}, "SqsProducer.on: field is 7; must be str | None"),
        (EventBridgeProducer, {"field": ""}, "field is ''; must be str, and no empty text"),
        (SqsProducer, {"field": "a..b"}, "field is 'a..b'; must be a name, or names joined by dots"),
        (HttpProducer, {"path": None}, "path is None; must be str"),
        (HttpProducer, {"timeout": "x"}, "timeout is 'x'; must be float"),
        (HttpProducer, {"sign": "yes"}, "sign is 'yes'; must be bool"),
        (HttpProducer, {"header": True}, "header is True; must be str | None"),
        (
            HttpProducer,
            {"headers": ["a"]},
            "headers is ['a']; must be collections.abc.Mapping[str, str] | None",
        ),
    ],
)
def test_a_setting_of_another_type_is_refused(producer, settings, said):
    with pytest.raises(SettingError) as caught:
        producer.on(World().listener, "source", **settings)
    assert said in str(caught.value)


def test_settings_of_the_right_types_are_taken():
    HttpProducer.check_settings(
        {"path": "", "timeout": 5, "sign": True, "headers": {}, "field": None}, "here"
    )
    SqsProducer.check_settings({"field": "order.id"}, "here")
    LambdaProducer.check_settings({"invocation": "Event", "qualifier": "live"}, "here")


def test_settings_of_a_mistyped_component_are_answered_with_the_nearest():
    with pytest.raises(ResourceMapError) as caught:
        producers_for(World().listener, {"sorce": {"key": "in/*"}})
    assert "no component 'sorce' takes inputs" in str(caught.value)
    assert "did you mean 'source'? components that do: source, processor, destination" in str(caught.value)
