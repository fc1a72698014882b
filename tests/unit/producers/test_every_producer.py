"""What every producer guarantees, whatever it sends to."""

import pytest
from botocore.exceptions import ClientError
from components import COMPONENTS
from listener_fakes import Target, client_error

from event_harness.errors import ProducerError, SettingError
from event_harness.producers import (
    DynamoDBProducer,
    EventBridgeProducer,
    HttpProducer,
    KinesisProducer,
    LambdaProducer,
    S3Producer,
    SnsProducer,
    SqsProducer,
    StepFunctionsProducer,
)
from event_harness.producers.inflight import InFlight
from event_harness.system.resources import Component

ALL = [
    S3Producer,
    SqsProducer,
    SnsProducer,
    EventBridgeProducer,
    DynamoDBProducer,
    KinesisProducer,
    HttpProducer,
    LambdaProducer,
    StepFunctionsProducer,
]


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_says_what_it_sent_under_a_fresh_id(make, service, producer):
    sender = make(producer)
    first, second = sender.send({"a": 1}), sender.send({"a": 1})
    assert first.session_id == "run"
    assert first.correlation_id != second.correlation_id
    assert first.correlation_id == f"run/{first.case_id}"
    assert (first.component, first.sent_at) == ("in", 1234.5)
    assert first.size >= len('{"a": 1}')
    assert (
        COMPONENTS[producer.type].identifier.removeprefix("arn:aws:states:r:1:stateMachine:")
        in first.description
    )


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_counts_what_is_on_its_way(make, producer):
    inflight = InFlight(5)
    sent = make(producer, inflight=inflight).send({"a": 1})
    assert inflight.holders() == [sent.correlation_id]


@pytest.mark.parametrize("producer", ALL)
@pytest.mark.parametrize("error", [client_error("AccessDenied"), RuntimeError("a bug"), KeyboardInterrupt()])
def test_every_producer_gives_its_slot_back_if_nothing_was_sent(make, service, producer, error):
    inflight = InFlight(5)
    sender = make(producer, inflight=inflight)
    service.error = error
    with pytest.raises(ProducerError if isinstance(error, ClientError) else type(error)):
        sender.send({"a": 1})
    assert inflight.outstanding == 0


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_takes_an_id_of_your_own_with_slashes(make, producer):
    more = {"name": False} if producer is StepFunctionsProducer else {}
    sender = make(producer, **more)
    assert sender.send({}, correlation_id="order/17").correlation_id == "run/order/17"
    assert sender.send({}, correlation_id="run/order/17").correlation_id == "run/order/17"
    assert sender.send({}, correlation_id="runner/17").correlation_id == "run/runner/17"


@pytest.mark.parametrize("producer", ALL)
@pytest.mark.parametrize("own", ["", 7])
def test_every_producer_refuses_an_id_that_is_none(make, producer, own):
    with pytest.raises(ProducerError, match=r"correlation id .* must be a text with at least one character"):
        make(producer).send({}, correlation_id=own)


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_passes_an_error_of_aws_on_in_one_line(make, service, producer):
    sender = make(producer)
    service.error = client_error("AccessDenied", "not\nallowed")
    with pytest.raises(
        ProducerError,
        match=r"AccessDenied: not allowed; is .* deployed, and (are you allowed|does it answer)",
    ) as caught:
        sender.send({"a": 1})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_refuses_a_component_of_another_type(producer):
    with pytest.raises(ProducerError, match=f"component 'x' is of type other, not {producer.type}"):
        producer(Component("x", "other", resource="aws_mq_broker.this"), Target(), "run")


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_refuses_a_session_id_that_is_none(producer):
    with pytest.raises(SettingError, match="test session id 'a/b'"):
        producer(COMPONENTS[producer.type], Target(), "a/b")


@pytest.mark.parametrize("producer", ALL)
@pytest.mark.parametrize(
    "body",
    [{"a": object()}, {"b": {1, "2"}}, {"c": float("nan")}, {"d": [float("inf")]}],
    ids=["object", "mixed set", "not a number", "infinity"],
)
def test_every_producer_refuses_what_json_cannot_say(make, producer, body):
    with pytest.raises(ProducerError, match="can't be sent"):
        make(producer).send(body)


@pytest.mark.parametrize(
    ("producer", "limit"),
    [
        (SqsProducer, "1,048,576"),
        (SnsProducer, "1,048,576"),
        (EventBridgeProducer, "1,048,576"),
        (LambdaProducer, "1,048,576"),
        (StepFunctionsProducer, "262,144"),
        (DynamoDBProducer, "409,600"),
    ],
)
def test_a_body_of_five_megabytes_is_refused_with_the_limit_and_a_remedy(make, service, producer, limit):
    with pytest.raises(ProducerError, match=rf"takes {limit} at most; put the body into S3"):
        make(producer).send({"a": "x" * 5_000_000})
    assert not [name for name, _ in service.asked if name != "describe_table"]


def test_a_body_of_five_megabytes_is_no_matter_to_s3_and_kinesis(make, service):
    assert make(S3Producer).send("x" * 5_000_000).size == 5_000_000
    assert make(KinesisProducer).send("x" * 5_000_000).size == 5_000_000
    with pytest.raises(ProducerError, match="10,485,760 at most"):
        make(KinesisProducer).send("x" * 11_000_000)
