import json
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError
from listener_fakes import Target, World, client_error

from event_harness.errors import ProducerError, ResourceMapError, SettingError
from event_harness.inflight import InFlight
from event_harness.producers import (
    DynamoDBProducer,
    EventBridgeProducer,
    KinesisProducer,
    S3Producer,
    SnsProducer,
    SqsProducer,
    producers_for,
)
from event_harness.resources import Station


class Service:
    """Any service: remembers what it was asked, and answers as told."""

    def __init__(self, **answers):
        self.asked = []
        self.answers = answers
        self.error = None

    def __getattr__(self, name):
        def call(**kwargs):
            if self.error:
                raise self.error
            self.asked.append((name, kwargs))
            return self.answers.get(name, {})

        return call

    @property
    def last(self):
        return self.asked[-1][1]


STATIONS = {
    "s3": Station("in", "s3", bucket="bucket"),
    "sqs": Station("in", "sqs", queue_url="http://queue"),
    "sns": Station("in", "sns", topic_arn="arn:topic"),
    "eventbridge": Station("in", "eventbridge", bus="bus"),
    "dynamodb": Station("in", "dynamodb", table="table"),
    "kinesis": Station("in", "kinesis", stream="stream"),
}
KEY_SCHEMA = {
    "Table": {
        "KeySchema": [
            {"AttributeName": "sort", "KeyType": "RANGE"},
            {"AttributeName": "pk", "KeyType": "HASH"},
        ]
    }
}


@pytest.fixture
def service():
    return Service(describe_table=KEY_SCHEMA)


@pytest.fixture
def make(service):
    def make(producer, station=None, **more):
        target = Target(**{producer.service: service})
        return producer(station or STATIONS[producer.type], target, "run", now=lambda: 1234.5, **more)

    return make


ALL = [S3Producer, SqsProducer, SnsProducer, EventBridgeProducer, DynamoDBProducer, KinesisProducer]


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_says_what_it_sent_under_a_fresh_id(make, service, producer):
    sender = make(producer)
    first, second = sender.send({"a": 1}), sender.send({"a": 1})
    assert first.run_id == "run"
    assert first.correlation_id != second.correlation_id
    assert first.correlation_id == f"run/{first.case_id}"
    assert (first.station, first.sent_at) == ("in", 1234.5)
    assert first.size >= len('{"a": 1}')
    assert STATIONS[producer.type].resource in first.description


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_counts_what_is_on_its_way(make, producer):
    inflight = InFlight(5)
    sent = make(producer, inflight=inflight).send({"a": 1})
    assert inflight.ids() == [sent.correlation_id]


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
    assert make(producer).send({}, correlation_id="order/17").correlation_id == "run/order/17"
    assert make(producer).send({}, correlation_id="run/order/17").correlation_id == "run/order/17"
    assert make(producer).send({}, correlation_id="runner/17").correlation_id == "run/runner/17"


@pytest.mark.parametrize("producer", ALL)
@pytest.mark.parametrize("own", ["", 7])
def test_every_producer_refuses_an_id_that_is_none(make, producer, own):
    with pytest.raises(ProducerError, match=r"correlation id .* must be a text that isn't empty"):
        make(producer).send({}, correlation_id=own)


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_passes_an_error_of_aws_on_in_one_line(make, service, producer):
    sender = make(producer)
    service.error = client_error("AccessDenied", "not\nallowed")
    with pytest.raises(ProducerError, match=r"AccessDenied: not allowed.*may you send to it") as caught:
        sender.send({"a": 1})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_refuses_a_station_of_another_type(producer):
    with pytest.raises(ProducerError, match=f"station 'fn' is of type lambda, not {producer.type}"):
        producer(Station("fn", "lambda", function="f"), Target(), "run")


@pytest.mark.parametrize("producer", ALL)
def test_every_producer_refuses_a_run_id_that_is_none(producer):
    with pytest.raises(SettingError, match="run id 'a/b'"):
        producer(STATIONS[producer.type], Target(), "a/b")


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
    with pytest.raises(ProducerError, match="has 1004 characters, it may have 256"):
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
    sender = make(producer, Station("in", producer.type, **{name: "x.fifo"}))
    sender.send("same")
    first = service.last
    sender.send("same")
    assert first["MessageGroupId"] == service.last["MessageGroupId"]
    assert first["MessageDeduplicationId"] != service.last["MessageDeduplicationId"]
    sender.send("same", group_id="g", deduplication_id="d")
    assert (service.last["MessageGroupId"], service.last["MessageDeduplicationId"]) == ("g", "d")


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


def test_a_record_has_its_id_as_partition_key(make, service):
    sent = make(KinesisProducer).send(b"\xff")
    assert service.last == {"StreamName": "stream", "PartitionKey": sent.correlation_id, "Data": b"\xff"}


def test_a_record_with_another_partition_key_has_its_id_in_a_field(make, service):
    sent = make(KinesisProducer, field="id").send({"a": 1}, partition_key="customer")
    assert service.last["PartitionKey"] == "customer"
    assert json.loads(service.last["Data"]) == {"a": 1, "id": sent.correlation_id}
    with pytest.raises(ProducerError, match="give the correlation id a field"):
        make(KinesisProducer).send({}, partition_key="customer")


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


def test_many_are_sent_lazily(make, service):
    sending = make(SqsProducer).send_many(iter(["a", "b"]))
    assert service.asked == []
    assert next(sending).station == "in"
    assert len(service.asked) == 1


def test_a_producer_of_a_listener_sends_under_its_run_and_bound():
    world = World()
    producer = S3Producer.on(world.listener)
    sent = producer.send("x")
    assert (sent.run_id, sent.station) == ("run", "source")
    assert world.listener.inflight.ids() == [sent.correlation_id]
    assert S3Producer.on(world.listener, "destination").station.resource == "destination-bucket"


def test_a_producer_of_a_station_that_is_not_there_is_refused():
    world = World()
    with pytest.raises(ResourceMapError, match="no station 'x'"):
        S3Producer.on(world.listener, "x")
    with pytest.raises(ProducerError, match="station 'source' is of type s3, not sqs"):
        SqsProducer.on(world.listener)


def test_every_station_that_takes_inputs_has_its_producer():
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
            "stations": [{"name": "fn", "type": "lambda", "function": "f"}],
        },
        "here",
    )
    with pytest.raises(ResourceMapError, match="here: none of its stations takes inputs"):
        producers_for(world.listener)


def test_a_setting_that_a_producer_does_not_take_is_refused_with_those_that_it_takes():
    with pytest.raises(SettingError) as caught:
        producers_for(World().listener, {"source": {"prefix": "in/"}})
    assert str(caught.value) == "producer settings of 'source': a S3Producer takes no 'prefix'; valid: key"
