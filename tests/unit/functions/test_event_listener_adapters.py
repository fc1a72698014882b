import json
from typing import Any

import pytest
from adapters import ADAPTERS, read, split
from aws_events import (
    QUEUE,
    STREAM,
    TABLE,
    TOPIC,
    dynamodb_record,
    eventbridge_event,
    kinesis_record,
    sns_record,
    sqs_attribute,
    sqs_binary_attribute,
    sqs_record,
    wrapped,
)
from fields import MalformedRecordError, plain
from hypothesis import given
from hypothesis import strategies as st
from records import Gone, Record, S3Object
from s3_events import s3_record

# Also what JSON can hold but UTF-8 can't: half a character, and numbers that aren't any.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=10,
)
GOOD = [
    s3_record("bucket", "key.txt"),
    sqs_record(attributes={"a": sqs_attribute("b"), "c": sqs_binary_attribute(b"\xff")}),
    sns_record(attributes={"a": {"Type": "String", "Value": "b"}}),
    eventbridge_event(),
    wrapped(eventbridge_event()),
    kinesis_record(),
    dynamodb_record(new={"id": {"S": "run/case"}, "n": {"L": [{"N": "1"}, {"M": {"a": {"SS": ["x"]}}}]}}),
]


def test_an_s3_object_is_left_where_it_is() -> None:
    record = read(s3_record("bucket", "run/a b+ü.txt", etag="abc", sequencer="0A", size=7))
    assert record == Record(
        source_type="s3",
        match="bucket",
        identity="bucket/run/a b+ü.txt/0A",
        body=S3Object("bucket", "run/a b+ü.txt", "abc", 7),
        metadata={
            "event_name": "ObjectCreated:Put",
            "bucket": "bucket",
            "key": "run/a b+ü.txt",
            "etag": "abc",
            "sequencer": "0A",
            "version_id": None,
        },
        event_time=1795341600123,
        keys={"key": "run/a b+ü.txt"},
    )


def test_the_entity_tag_of_an_s3_event_may_come_in_quotes() -> None:
    body = read(s3_record("bucket", "key", etag='"abc"')).body
    assert isinstance(body, S3Object)
    assert body.etag == "abc"


def test_an_s3_event_without_a_sequencer_has_an_identity_that_is_the_same_at_each_delivery() -> None:
    one, other = (s3_record("bucket", "key", sequencer=None, etag=etag) for etag in ("one", "other"))
    assert read(one).identity == read(one).identity != read(other).identity


def test_an_object_that_was_removed_is_gone() -> None:
    assert read(s3_record("bucket", "key", name="ObjectRemoved:Delete", size=3)).body == Gone("deleted", 3)


def test_an_sqs_message_brings_its_attributes() -> None:
    attributes = {
        "correlation_id": sqs_attribute("run/case"),
        "id": sqs_binary_attribute(b"id"),
        "bytes": sqs_binary_attribute(b"\xff"),
    }
    record = read(sqs_record("body ü", attributes=attributes))
    assert record == Record(
        source_type="sqs",
        match=QUEUE,
        identity="059f36b4-87a3-44ab-83d2-661975830a7d",
        body="body ü".encode(),
        metadata={
            "message_id": "059f36b4-87a3-44ab-83d2-661975830a7d",
            "message_attributes": {"correlation_id": "run/case", "id": "aWQ=", "bytes": "/w=="},
            "message_group_id": None,
        },
        event_time=1545082649183,
        attributes={"correlation_id": "run/case", "id": "id"},
        batch_item="059f36b4-87a3-44ab-83d2-661975830a7d",
    )
    fifo = sqs_record(arn=f"{QUEUE}.fifo")
    fifo["attributes"]["MessageGroupId"] = "group"
    assert read(fifo).sequence == f"{QUEUE}.fifo/group"


def test_an_sns_notification_brings_its_attributes() -> None:
    record = read(sns_record("message", attributes={"a": {"Type": "String", "Value": "b"}}))
    assert record == Record(
        source_type="sns",
        match=TOPIC,
        identity="95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        body=b"message",
        metadata={
            "message_id": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
            "topic_arn": TOPIC,
            "subject": "subject",
            "message_attributes": {"a": "b"},
        },
        event_time=1546433107000,
        attributes={"a": "b"},
    )


@pytest.mark.parametrize(
    ("event", "match"),
    [
        (eventbridge_event(), ""),
        (wrapped(eventbridge_event()), "bus"),
        (wrapped(json.dumps(eventbridge_event())), "bus"),
    ],
)
def test_an_eventbridge_event_is_read_bare_and_wrapped(event: object, match: str) -> None:
    assert read(event) == Record(
        source_type="eventbridge",
        match=match,
        identity="7bf73129-1428-4cd3-a780-95db273d1602",
        body=b'{"order": {"id": "run/case"}}',
        metadata={
            "id": "7bf73129-1428-4cd3-a780-95db273d1602",
            "source": "shop",
            "detail-type": "order placed",
            "account": "123456789012",
            "region": "eu-west-1",
            "resources": ["arn:aws:shop:::order/1"],
        },
        event_time=1636666194000,
    )


def test_a_kinesis_record_is_decoded() -> None:
    record = read(kinesis_record(b"\x00\xff", partition_key="run/case", sequence="49"))
    assert record == Record(
        source_type="kinesis",
        match=STREAM,
        identity="shardId-000000000006:49",
        body=b"\x00\xff",
        metadata={"shard": "shardId-000000000006", "sequence": "49", "partition_key": "run/case"},
        event_time=1545084650987,
        keys={"partition_key": "run/case"},
        batch_item="49",
        sequence=f"{STREAM}/shardId-000000000006",
    )


def test_a_change_of_a_table_becomes_plain_json() -> None:
    new = {
        "id": {"S": "run/case"},
        "whole": {"N": "2"},
        "broken": {"N": "1.5"},
        "bytes": {"B": "AP8="},
        "set": {"SS": ["a"]},
        "numbers": {"NS": ["1", "2.5"]},
        "list": {"L": [{"BOOL": True}, {"NULL": True}]},
        "map": {"M": {"a": {"S": ""}}},
    }
    record = read(dynamodb_record(name="MODIFY", new=new, old={"id": {"S": "run/case"}}, sequence="7"))
    assert isinstance(record.body, bytes)
    assert json.loads(record.body) == {
        "eventName": "MODIFY",
        "keys": {"id": "run/case"},
        "new_image": {
            "id": "run/case",
            "whole": 2,
            "broken": 1.5,
            "bytes": "AP8=",
            "set": ["a"],
            "numbers": [1, 2.5],
            "list": [True, None],
            "map": {"a": ""},
        },
        "old_image": {"id": "run/case"},
    }
    assert record.match.startswith(f"{TABLE}/stream/")
    assert record.identity == "c4ca4238a0b923820dcc509a6f75849b7"
    assert record.metadata == {"eventName": "MODIFY", "keys": {"id": "run/case"}, "sequence": "7"}
    assert record.event_time == 1428537600000
    assert record.keys == {"id": "run/case"}


def test_a_stream_of_keys_only_has_no_images() -> None:
    body = read(dynamodb_record()).body
    assert isinstance(body, bytes)
    assert json.loads(body) == {
        "eventName": "INSERT",
        "keys": {"id": "run/case"},
        "new_image": None,
        "old_image": None,
    }


@pytest.mark.parametrize(
    ("digits", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("1E+3", 1000),
        ("0.1", 0.1),
        ("9" * 38, int("9" * 38)),
        ("0.12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678"),
    ],
)
def test_no_number_is_rounded(digits: str, value: object) -> None:
    assert plain({"N": digits}) == value


@pytest.mark.parametrize(
    "value",
    [
        {"N": "NaN"},
        {"N": "Infinity"},
        {"N": "1E+999999999"},
        {"N": "0" * 1000},
        {"N": "x"},
        {"N": 1},
        {"S": 1},
        {"SS": [1]},
        {"L": "x"},
        {"M": []},
        {"X": "x"},
        {"S": "a", "N": "1"},
        {},
        "x",
    ],
)
def test_what_is_no_attribute_value_is_refused(value: object) -> None:
    with pytest.raises(MalformedRecordError, match="attribute value"):
        plain(value)


@pytest.mark.parametrize("time", ["1e15", "9e14", "253402300800", "-1", "1e300"])
def test_a_time_beyond_all_calendars_is_no_time(time: str) -> None:
    kinesis = json.loads(json.dumps(kinesis_record()).replace("1545084650.987", time))
    assert read(kinesis).event_time is None
    sqs = sqs_record()
    sqs["attributes"]["SentTimestamp"] = str(float(time) * 1000)
    assert read(sqs).event_time is None


@pytest.mark.parametrize("good", GOOD, ids=lambda good: read(good).source_type)
def test_an_event_without_a_readable_time_is_read_without_it(good: Any) -> None:
    assert read(good).event_time is not None
    record = json.loads(
        json.dumps(good)
        .replace("2026-11-22T10:00:00.123Z", "soon")
        .replace("1545082649183", "soon")
        .replace("2019-01-02T12:45:07.000Z", "soon")
        .replace("2021-11-11T21:29:54Z", "0000-99-99")
        .replace("1545084650.987", "1e400")
        .replace("1428537600.0", "null")
    )
    assert read(record).event_time is None
    assert "record_error" not in read(record).metadata


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (None, "no source"),
        ({"eventSource": "aws:unheard-of"}, "no source"),
        ({"eventSource": "aws:s3"}, "s3.bucket.name is missing"),
        ({"EventSource": "aws:sns", "Sns": {"MessageId": 7}}, "Sns.MessageId is a number"),
        (kinesis_record() | {"kinesis": {"sequenceNumber": "1", "partitionKey": "k", "data": "%"}}, "base64"),
        (eventbridge_event(id=None), "id is missing"),
        ({"detail-type": "x", "id": "1"}, "detail is missing"),
        (wrapped("{"), "isn't JSON"),
        (dynamodb_record({"id": {"S": 1}}), "attribute value"),
    ],
)
def test_what_cant_be_read_is_kept_whole_with_the_reason(raw: object, named: str) -> None:
    record = read(raw)
    assert (record.source_type, record.match) == ("unknown", "")
    assert isinstance(record.body, bytes)
    assert json.loads(record.body) == raw
    assert named in record.metadata["record_error"]
    assert read(raw).identity == record.identity


@given(JSON)
def test_any_json_becomes_a_record_with_the_same_json_in_it(raw: object) -> None:
    record = read(raw)
    assert record.metadata["record_error"]
    assert isinstance(record.body, bytes)
    assert json.dumps(json.loads(record.body.decode("utf-8", "surrogatepass"))) == json.dumps(raw)


@given(st.sampled_from(GOOD), st.data())
def test_an_event_with_anything_in_one_of_its_fields_is_read_or_kept_whole(
    good: Any, data: st.DataObject
) -> None:
    raw = json.loads(json.dumps(good))
    place = raw
    while True:
        name = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[name], dict) or not place[name] or data.draw(st.booleans()):
            break
        place = place[name]
    place[name] = data.draw(JSON)
    record = read(raw)
    assert record.identity or place[name] == ""
    json.dumps(record.metadata)
    if "record_error" in record.metadata:
        assert isinstance(record.body, bytes)
        assert json.dumps(json.loads(record.body.decode("utf-8", "surrogatepass"))) == json.dumps(raw)


def test_an_event_is_split_into_its_records() -> None:
    assert split({"Records": [1, 2]}) == [1, 2]
    assert split({"Records": []}) == []
    assert split({"Records": "none"}) == [{"Records": "none"}]
    assert split(eventbridge_event()) == [eventbridge_event()]
    assert split("text") == ["text"]
    assert split({"Service": "Amazon S3", "Event": "s3:TestEvent"}) == []


def test_an_event_with_records_is_no_test_event_whatever_it_says() -> None:
    assert split({"Event": "s3:TestEvent", "Records": [1]}) == [1]
    assert split({"Event": "s3:TestEvent", "Records": "none"}) == [
        {"Event": "s3:TestEvent", "Records": "none"}
    ]


def test_each_source_that_sends_lists_of_records_has_an_adapter() -> None:
    assert set(ADAPTERS) == {"aws:s3", "aws:sqs", "aws:sns", "aws:kinesis", "aws:dynamodb"}
