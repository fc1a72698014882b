"""Bodies are found where they are wrapped, and only there."""

import base64
import gzip
import json
from typing import Any

import envelopes
import pytest
from adapters import read
from aws_events import (
    QUEUE,
    TOPIC,
    eventbridge_event,
    kinesis_record,
    sns_record,
    sqs_attribute,
    sqs_record,
)
from correlation import correlate
from envelopes import open_all
from hypothesis import given
from hypothesis import strategies as st
from records import Gone, Record, S3Object, Unread
from s3_events import s3_record
from settings import Source
from wrapping import (
    base64_of,
    eventbridge,
    kpl,
    logs,
    notification,
    pointer,
    s3_detail,
    sns,
)

ORDER = '{"correlation_id": "run/case", "total": 1.10}'
SIZE = {"ExtendedPayloadSize": {"dataType": "Number", "stringValue": "300000"}}
OFFLOADED = {("big", "key"): b'{"correlation_id": "run/big"}'}


def fetch(place: S3Object) -> object:
    return OFFLOADED.get((place.bucket, place.key), Gone("deleted"))


def opened(raw: Any, decode: tuple[str, ...] = ()) -> list[Record]:
    return open_all(read(raw), fetch, decode)


def only(raw: Any, decode: tuple[str, ...] = ()) -> Record:
    (record,) = opened(raw, decode)
    return record


def id_of(record: Record, where: str | None = "auto", at: str | None = None) -> str | None:
    body = record.body if isinstance(record.body, bytes) else None
    return correlate(Source("name", record.source_type, "", where, at), record, body).correlation_id


@pytest.mark.parametrize(
    ("body", "wrapped"),
    [
        (ORDER, ()),
        (sns(ORDER), ("sns",)),
        (sns(sns(ORDER)), ("sns", "sns")),
        (eventbridge(json.loads(ORDER)), ("eventbridge",)),
        (sns(eventbridge(json.loads(ORDER))), ("sns", "eventbridge")),
        (base64_of(ORDER.encode()), ("base64",)),
        (base64_of(ORDER.encode()) + "\n", ("base64",)),
        (base64_of(gzip.compress(ORDER.encode())), ("base64", "gzip")),
        (sns(base64_of(gzip.compress(sns(ORDER).encode()))), ("sns", "base64", "gzip", "sns")),
    ],
    ids=range(9),
)
def test_a_body_and_its_id_are_found_in_usual_wrappings(body: str, wrapped: tuple[str, ...]) -> None:
    record = only(sqs_record(body))
    assert isinstance(record.body, bytes)
    assert json.loads(record.body) == json.loads(ORDER)
    assert record.wrapped == wrapped
    assert record.metadata.get("unwrapped", []) == list(wrapped)
    assert (record.source_type, record.match) == ("sqs", QUEUE)
    assert id_of(record) == "run/case"


def test_what_wraps_says_more_about_the_event() -> None:
    attributes = {"correlation_id": {"Type": "String", "Value": "run/case"}}
    record = only(sqs_record(sns("text", attributes), attributes={"outer": sqs_attribute("1")}))
    assert record.body == b"text"
    assert record.metadata["topic_arn"] == TOPIC
    assert record.metadata["subject"] == "subject"
    assert record.metadata["message_id"] == sqs_record()["messageId"]
    assert record.metadata["sns_message_id"] == sns_record()["Sns"]["MessageId"]
    assert record.metadata["message_attributes"] == {"outer": "1", "correlation_id": "run/case"}
    assert id_of(record) == id_of(record, "attribute", "correlation_id") == "run/case"


@pytest.mark.parametrize("key", ["run/a b.txt", "run/plus+ü.txt", "run/%2B.txt"])
@pytest.mark.parametrize("wrap", [str, sns, lambda text: base64_of(gzip.compress(text.encode()))])
def test_the_key_of_a_notification_in_a_queue_is_decoded_and_is_the_id(key: str, wrap: Any) -> None:
    raw = s3_record("bucket", key, size=7)
    raw["s3"]["object"]["versionId"] = "v1"
    record = only(sqs_record(wrap(notification(raw))))
    assert record.body == S3Object("bucket", key, raw["s3"]["object"]["eTag"], 7, "v1")
    assert (record.metadata["bucket"], record.metadata["key"]) == ("bucket", key)
    assert id_of(record) == key
    assert id_of(record, "key", "run/*.txt") == key[4:-4]
    assert id_of(record, "body", "Records[0].s3.object.size") == "7"


def test_the_key_of_a_notification_of_a_topic_is_the_id() -> None:
    record = only(sns_record(notification(s3_record("bucket", "run/a b.txt"))))
    assert (id_of(record), record.metadata["key"]) == ("run/a b.txt", "run/a b.txt")


@pytest.mark.parametrize("key", ["run/a b.txt", "run/plus+ü.txt", "run/%2B.txt"])
@pytest.mark.parametrize("in_a_queue", [True, False])
def test_the_key_of_an_event_of_s3_is_as_it_is(key: str, in_a_queue: bool) -> None:
    fields = {"source": "aws.s3", "detail-type": "Object Created"}
    detail = s3_detail(key, **{"version-id": "v2"})
    raw = sqs_record(eventbridge(detail, **fields)) if in_a_queue else eventbridge_event(detail, **fields)
    record = only(raw)
    assert record.body == S3Object("bucket", key, "e", 5, "v2")
    assert record.metadata["key"] == key
    assert record.wrapped[-1] == "s3"
    assert id_of(record) == key


def test_an_object_that_s3_says_is_deleted_is_gone() -> None:
    fields = {"source": "aws.s3", "detail-type": "Object Deleted"}
    assert only(eventbridge_event(s3_detail("run/a"), **fields)).body == Gone("deleted", 5)
    assert only(
        sqs_record(notification(s3_record("bucket", "run/a", name="ObjectRemoved:Delete")))
    ).body == Gone("deleted", 0)


def test_several_records_of_a_notification_are_results_of_their_own() -> None:
    records = opened(sqs_record(notification(*(s3_record("bucket", f"run/{n}") for n in range(3)))))
    assert [id_of(record) for record in records] == ["run/0", "run/1", "run/2"]
    message_id = sqs_record()["messageId"]
    assert [record.identity for record in records] == [f"{message_id}/{n}" for n in range(3)]
    assert {record.batch_item for record in records} == {message_id}


def test_a_test_event_of_s3_is_no_result() -> None:
    event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "t", "Bucket": "b", "RequestId": "r"}
    assert opened(sqs_record(json.dumps(event))) == []


def test_records_that_the_producer_library_has_aggregated_are_results_of_their_own() -> None:
    data = kpl(
        ("run/a", b"one"), ("run/b", b"two"), ("run/a", b"\xff"), more=b"\x31" + b"8 bytes!" + b"\x2d4by."
    )
    records = opened(kinesis_record(data, partition_key="a"))
    assert [record.body for record in records] == [b"one", b"two", b"\xff"]
    assert [id_of(record) for record in records] == ["run/a", "run/b", "run/a"]
    assert [record.metadata["unwrapped"] for record in records] == [["kpl"]] * 3
    assert [record.metadata["partition_key"] for record in records] == ["run/a", "run/b", "run/a"]
    assert len({record.identity for record in records}) == 3
    assert {record.sequence for record in records} == {read(kinesis_record()).sequence}


def test_one_aggregated_record_keeps_its_identity() -> None:
    assert only(kinesis_record(kpl(("run/a", b"x")))).identity == read(kinesis_record()).identity


def test_each_line_of_a_log_subscription_is_a_result_of_its_own() -> None:
    records = opened(kinesis_record(logs(ORDER, "plain text"), partition_key="0123abc"))
    assert [record.body for record in records] == [ORDER.encode(), b"plain text"]
    assert [id_of(record) for record in records] == ["run/case", None]
    assert records[0].metadata["log_group"] == "/aws/lambda/shop"
    assert records[0].wrapped == ("gzip", "cloudwatch_logs")


def test_a_control_message_of_a_log_subscription_is_no_result() -> None:
    assert opened(kinesis_record(logs("CWL CONTROL MESSAGE", messageType="CONTROL_MESSAGE"))) == []


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("software.amazon.payloadoffloading.PayloadS3Pointer", "ExtendedPayloadSize"),
        ("software.amazon.payloadoffloading.PayloadS3Pointer", "SQSLargePayloadSize"),
        ("com.amazon.sqs.javamessaging.MessageS3Pointer", "SQSLargePayloadSize"),
    ],
)
def test_a_message_that_was_moved_to_s3_is_read_from_there(name: str, attribute: str) -> None:
    attributes = {attribute: {"dataType": "Number", "stringValue": "300000"}}
    record = only(sqs_record(pointer("big", "key", name), attributes=attributes))
    assert record.body == OFFLOADED["big", "key"]
    assert id_of(record) == "run/big"
    assert (record.metadata["bucket"], record.metadata["key"]) == ("big", "key")


def test_a_message_that_was_moved_to_s3_on_its_way_to_a_topic_is_read_from_there() -> None:
    attributes = {"ExtendedPayloadSize": {"Type": "Number", "Value": "300000"}}
    record = only(sqs_record(sns(pointer("big", "key"), attributes)))
    assert (id_of(record), record.wrapped) == ("run/big", ("sns", "s3_pointer"))


def test_a_moved_message_that_is_gone_is_gone() -> None:
    assert only(sqs_record(pointer("big", "other"), attributes=SIZE)).body == Gone("deleted")


def test_a_moved_message_that_may_not_be_read_stays_a_pointer_and_says_why() -> None:
    (record,) = open_all(
        read(sqs_record(pointer("big", "key"), attributes=SIZE)), lambda _place: Unread("denied")
    )
    assert record.body == pointer("big", "key").encode()
    assert record.metadata["body_error"] == "denied"


def test_a_moved_message_that_is_too_large_is_not_read() -> None:
    (record,) = open_all(read(sqs_record(pointer("big", "key"), attributes=SIZE)), lambda _place: object())
    assert record.body == S3Object("big", "key")


SIMILAR = {
    "a notification without a topic": json.dumps({"Type": "Notification", "Message": "x", "MessageId": "1"}),
    "a notification with a field of its own": json.dumps(json.loads(sns("x")) | {"order": 7}),
    "a notification of another type": json.dumps(json.loads(sns("x")) | {"Type": "SubscriptionConfirmation"}),
    "a notification whose message is an object": json.dumps(json.loads(sns("x")) | {"Message": {}}),
    "a topic that is no ARN": json.dumps(json.loads(sns("x")) | {"TopicArn": "orders"}),
    "an event without a region": json.dumps({k: v for k, v in eventbridge_event().items() if k != "region"}),
    "an event with a field of its own": json.dumps(eventbridge_event() | {"trace": 1}),
    "an event of another version": eventbridge({}, version="1"),
    "records of the system's own": json.dumps({"Records": [{"id": 1}]}),
    "no records": json.dumps({"Records": []}),
    "records beside another field": json.dumps({"Records": [s3_record("b", "k")], "total": 1}),
    "a record of s3 that lacks its key": json.dumps({"Records": [{"eventSource": "aws:s3", "s3": {}}]}),
    "a pointer without its attribute": pointer("big", "key"),
    "a pointer of another class": pointer("big", "key", "com.shop.S3Pointer"),
    "base64 of a text": base64_of(b"hello, this is a text"),
    "a word that is base64": "deadbeef",
    "a token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "base64 that no encoder writes": base64_of(ORDER.encode())[:-2] + "1=",
    "base64 of a number": base64_of(b"12345678"),
    "a test event of another service": json.dumps({"Event": "s3:TestEvent", "Service": "shop"}),
    "text": "hello",
    "nothing": "",
    "deep json": '{"TopicArn":' + "[" * 100_000,
}


@pytest.mark.parametrize("body", SIMILAR.values(), ids=SIMILAR.keys())
def test_a_body_of_the_systems_own_that_looks_similar_stays_as_it_is(body: str) -> None:
    record = only(sqs_record(body))
    assert record == read(sqs_record(body))
    assert record.body == body.encode()


@pytest.mark.parametrize(
    "data",
    [
        b"\x1f\x8b\x08 no gzip",
        gzip.compress(b"x" * 100)[:-4],
        gzip.compress(b"x") + b"more",
        kpl(("run/a", b"x"))[:-1] + b"?",
        kpl(("run/a", b"x"))[4:],
        kpl(more=b"\x1a\x02\x08\x07"),
        kpl(more=b"\x0b"),
        kpl(more=b"\x1a\xff"),
        kpl(more=b"\xff" * 11),
        kpl(more=b"\x18\x01"),
        b"",
    ],
    ids=range(11),
)
def test_bytes_that_only_begin_like_a_wrapping_stay_as_they_are(data: bytes) -> None:
    assert only(kinesis_record(data)).body == data


def test_a_detail_that_looks_like_an_event_stays_as_it_is() -> None:
    detail = json.loads(sns(ORDER))
    assert json.loads(only(eventbridge_event(detail)).body) == detail  # type: ignore[arg-type]


def test_several_gzip_files_in_a_row_are_one() -> None:
    data = gzip.compress(b'{"correlation_id": ') + gzip.compress(b'"run/case"}')
    assert only(kinesis_record(data)).body == b'{"correlation_id": "run/case"}'


def test_a_gzip_file_that_would_fill_the_memory_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelopes, "MAX_OPENED", 1000)
    bomb = gzip.compress(b"0" * 1001)
    assert only(kinesis_record(bomb)).body == bomb
    assert only(kinesis_record(gzip.compress(b"0" * 1000))).body == b"0" * 1000


def test_envelopes_within_envelopes_end_somewhere() -> None:
    body = "text"
    for _ in range(10):
        body = sns(body)[:]
    record = only(sqs_record(body))
    assert record.wrapped == ("sns",) * envelopes.MAX_DEPTH
    assert isinstance(record.body, bytes)
    assert json.loads(record.body)["Type"] == "Notification"


def test_what_the_settings_name_is_taken_off_whatever_it_holds() -> None:
    packed = base64_of(b"plain text")
    assert only(sqs_record(packed)).body == packed.encode()
    assert only(sqs_record(packed), ("base64",)).body == b"plain text"
    assert only(kinesis_record(gzip.compress(b"x")), ("gzip",)).wrapped == ("gzip",)
    record = only(sqs_record("not packed!"), ("base64",))
    assert (record.body, record.metadata["body_error"]) == (b"not packed!", "the body isn't base64")
    assert only(kinesis_record(b"x"), ("gzip",)).metadata["body_error"] == "the body isn't gzip"
    assert only(sqs_record(base64_of(sns(ORDER).encode())), ("base64",)).wrapped == ("base64", "sns")


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (json.dumps({"data": ORDER}), "powertools_json(data).correlation_id"),
        (json.dumps({"data": base64_of(b"run/case")}), "powertools_base64(data)"),
        (
            json.dumps({"data": base64_of(ORDER.encode())}),
            "powertools_json(powertools_base64(data)).correlation_id",
        ),
        (json.dumps({"data": base64_of(gzip.compress(b"run/case"))}), "powertools_base64_gzip(data)"),
        (base64_of(b"run/case"), "powertools_base64(@)"),
        (sns(ORDER), "powertools_json(Message).correlation_id"),
        (sns(json.dumps({"order": {"id": "run/case"}})), "order.id"),
        (eventbridge({"order": {"id": "run/case"}}), "detail.order.id"),
        (eventbridge({"order": {"id": "run/case"}}), "order.id"),
    ],
    ids=range(9),
)
def test_an_expression_finds_the_id_in_the_body_or_in_an_envelope(body: str, at: str) -> None:
    assert id_of(only(sqs_record(body)), "body", at) == "run/case"


def test_an_expression_finds_the_id_in_a_packed_object() -> None:
    record = read(s3_record("bucket", "key"))
    content = gzip.compress(b'{"id": "run/case"}')
    found = correlate(Source("name", "s3", "bucket", "body", "id"), record, content)
    assert found.correlation_id == "run/case"


OF_S3 = ("Event", "Service", "eventSource", "s3", "bucket", "object", "key", "name")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(["Notification", "aws:s3", "arn:x", "0"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*sorted(envelopes._SNS | envelopes._EVENT | envelopes._LOGS), "Records", *OF_S3])
            | st.text(max_size=3),
            inner,
            max_size=10,
        )
    ),
    max_leaves=20,
)
PARTS = (
    st.binary(max_size=40)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [ORDER.encode(), sns(ORDER).encode(), kpl(("run/a", b"x")), logs("x"), pointer("big", "key").encode()]
    )
)


def as_text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


WRAPPINGS = [
    gzip.compress,
    base64.b64encode,
    lambda content: sns(as_text(content)).encode(),
    lambda content: kpl(("run/a", content), ("b", content)),
    lambda content: eventbridge({"text": as_text(content)}).encode(),
    lambda content: logs(as_text(content), as_text(content)),
]


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """Bytes in any number of wrappings, each perhaps cut or with a byte changed."""
    content = draw(PARTS)
    for _ in range(draw(st.integers(0, 4))):
        content = draw(st.sampled_from(WRAPPINGS))(content)
        if draw(st.booleans()) and content:
            at = draw(st.integers(0, len(content) - 1))
            content = draw(st.sampled_from([content[:at], content[:at] + b"\x00" + content[at + 1 :]]))
    return content


@given(hostile())
def test_no_body_in_any_wrapping_is_an_error(content: bytes) -> None:
    text = content.decode("utf-8", "surrogateescape")
    for raw in (kinesis_record(content), sqs_record(text, attributes=SIZE), sns_record(text)):
        records = opened(raw)
        assert records
        for record in records:
            id_of(record)
            id_of(record, "body", "powertools_json(a).b")
            json.dumps(record.metadata)
