import json
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
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
    sqs_record,
    wrapped,
)
from aws_fakes import FakeS3, FakeTable, client_error
from bodies import Bodies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from s3_events import s3_event, s3_record
from store import Store
from wrapping import kpl

from event_harness.results.window import OVERLAP

LogLines = Callable[[ModuleType], list[dict[str, Any]]]
SOURCES = {
    "destination": {"type": "s3", "match": "bucket", "correlation": {"from": "key", "at": None}},
    "queue": {"type": "sqs", "match": QUEUE, "correlation": {"from": "attribute", "at": "correlation_id"}},
    "fifo": {"type": "sqs", "match": f"{QUEUE}.fifo", "correlation": {"from": "attribute", "at": None}},
    "topic": {"type": "sns", "match": TOPIC, "correlation": {"from": "attribute", "at": None}},
    "bus": {"type": "eventbridge", "match": "bus", "correlation": {"from": "body", "at": "order.id"}},
    "table": {"type": "dynamodb", "match": TABLE, "correlation": {"from": "key", "at": None}},
    "stream": {"type": "kinesis", "match": STREAM, "correlation": {"from": "key", "at": None}},
}


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3("bucket", "overflow")


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture
def load(load_app: Callable[..., ModuleType], s3: FakeS3, table: FakeTable) -> Callable[..., ModuleType]:
    def load(sources: dict[str, Any]) -> ModuleType:
        module = load_app(
            "event_listener",
            RESULTS_TABLE="results",
            OVERFLOW_BUCKET="overflow",
            RESULT_TTL_SECONDS="3600",
            INLINE_LIMIT_BYTES="1000",
            SOURCES=json.dumps(sources),
        )
        module.bodies = Bodies(s3, "overflow", 1000)
        module.store = Store(table, "results", 3600)
        return module

    return load


@pytest.fixture
def app(load: Callable[..., ModuleType]) -> ModuleType:
    return load(SOURCES)


@pytest.fixture
def asking(load: Callable[..., ModuleType]) -> ModuleType:
    """The listener of a queue whose mapping asks for partial batch responses."""
    return load(SOURCES | {"queue": SOURCES["queue"] | {"partial": True}})


def put(s3: FakeS3, key: str, data: bytes) -> dict[str, Any]:
    return s3_record("bucket", key, etag=s3.add("bucket", key, data).etag)


def message(number: int, body: str = "body", arn: str = QUEUE) -> dict[str, Any]:
    attributes = {"correlation_id": sqs_attribute(f"run/{number}")}
    return sqs_record(body, message_id=f"m{number}", attributes=attributes, arn=arn)


def failing(*names: str) -> Callable[[dict[str, Any]], None]:
    """Make the table refuse the events whose identity ends with one of the names."""

    def before(arguments: dict[str, Any]) -> None:
        if arguments["Key"]["event_id"]["S"].endswith(names):
            raise client_error("UpdateItem", "ProvisionedThroughputExceededException", 400)

    return before


def test_each_source_ends_up_under_its_name_and_session(
    app: ModuleType, s3: FakeS3, table: FakeTable, context: SimpleNamespace
) -> None:
    attributes = {"correlation_id": {"Type": "String", "Value": "run/case"}}
    for event in (
        s3_event(put(s3, "run/case", b"body")),
        s3_event(message(1)),
        s3_event(sns_record(attributes=attributes)),
        wrapped(eventbridge_event()),
        s3_event(dynamodb_record(new={"id": {"S": "run/case"}})),
        s3_event(kinesis_record()),
    ):
        app.handler(event, context)
    items = {item["source"]: item for item in table.all()}
    assert sorted(items) == ["bus", "destination", "queue", "stream", "table", "topic"]
    assert {item["session_id"] for item in items.values()} == {"run"}
    assert all(item["event_id"].startswith(f"{name}:") for name, item in items.items())


def test_an_object_is_stored_with_its_content(
    app: ModuleType, s3: FakeS3, table: FakeTable, context: SimpleNamespace
) -> None:
    app.handler(s3_event(put(s3, "run/a b+ü.txt", b"small"), put(s3, "run/large", b"x" * 1001)), context)
    small, large = table.all()
    assert (small["correlation_id"], small["body"]) == ("run/a b+ü.txt", "small")
    assert s3.buckets["overflow"][large["overflow"]["key"]].data == b"x" * 1001


def test_a_body_of_5_mb_is_kept_whole(
    app: ModuleType, s3: FakeS3, table: FakeTable, context: SimpleNamespace
) -> None:
    body = "ü" * 2_500_000
    app.handler(s3_event(message(1, body)), context)
    assert table.only()["size"] == 5_000_000
    assert s3.buckets["overflow"][table.only()["overflow"]["key"]].data == body.encode()


def test_a_redelivery_is_the_same_item(app: ModuleType, table: FakeTable, context: SimpleNamespace) -> None:
    for _ in range(2):
        app.handler(s3_event(message(1)), context)
    assert table.only()["deliveries"] == 2


def test_a_duplicate_of_the_system_is_a_second_item(
    app: ModuleType, s3: FakeS3, table: FakeTable, context: SimpleNamespace
) -> None:
    first = put(s3, "run/case", b"body")
    second = s3_record(
        "bucket", "run/case", etag=first["s3"]["object"]["eTag"], sequencer="0055AED6DCD90281E6"
    )
    app.handler(s3_event(first, second), context)
    assert len(table.all()) == 2


def test_an_empty_batch_is_nothing_to_do(app: ModuleType, table: FakeTable, context: SimpleNamespace) -> None:
    assert app.handler({"Records": []}, context) is None
    assert not table.items


def test_what_cant_be_read_is_stored_as_uncorrelated(
    app: ModuleType, table: FakeTable, context: SimpleNamespace
) -> None:
    app.handler({"order": "7"}, context)
    item = table.only()
    assert (item["session_id"], item["source"], item["body"]) == ("uncorrelated", "unknown", '{"order": "7"}')
    assert json.loads(item["metadata"]).keys() == {"record_error", "correlation_error"}


def test_a_strangers_event_on_a_shared_bus_is_stored_as_uncorrelated(
    app: ModuleType, table: FakeTable, context: SimpleNamespace
) -> None:
    app.handler(wrapped(eventbridge_event({"stranger": True})), context)
    item = table.only()
    assert (item["session_id"], item["source"]) == ("uncorrelated", "bus")
    assert "the body has nothing at 'order.id'" in json.loads(item["metadata"])["correlation_error"]


def of_group(number: int, group: str) -> dict[str, Any]:
    """A message of a FIFO queue."""
    record = message(number, arn=f"{QUEUE}.fifo")
    return record | {"attributes": record["attributes"] | {"MessageGroupId": group}}


@pytest.mark.parametrize(
    ("failed", "records"),
    [
        ("m1", [message(number) for number in range(3)]),
        ("m1", [of_group(number, f"group {number}") for number in range(3)]),
        (
            "0001",
            [kinesis_record(sequence=f"000{n}") | {"eventID": f"shard-{n}:000{n}"} for n in range(3)],
        ),
    ],
    ids=["queue", "message groups", "shards"],
)
def test_a_batch_with_a_record_that_cant_be_stored_comes_again_and_the_others_are_stored(
    app: ModuleType, table: FakeTable, context: SimpleNamespace, failed: str, records: list[dict[str, Any]]
) -> None:
    table.before = failing(failed)
    with pytest.raises(app.RecordsNotStoredError, match="1 of 3 not stored"):
        app.handler(s3_event(*records), context)
    assert len(table.all()) == 2


@pytest.mark.parametrize(
    ("failed", "records"),
    [
        ("m1", [of_group(number, "one") for number in range(4)]),
        ("0001", [kinesis_record(sequence=f"000{number}") for number in range(4)]),
        ("0001", [dynamodb_record(sequence=f"000{number}") for number in range(4)]),
    ],
    ids=["message group", "kinesis", "dynamodb"],
)
def test_no_record_is_stored_that_follows_one_that_could_not_be_stored(
    app: ModuleType, table: FakeTable, context: SimpleNamespace, failed: str, records: list[dict[str, Any]]
) -> None:
    """Else a sentinel on an ordered path would prove that a record isn't there which is on its way again."""
    table.before = failing(failed)
    with pytest.raises(app.RecordsNotStoredError, match=r"3 of 4 not stored.*an earlier record of its shard"):
        app.handler(s3_event(*records), context)
    assert len(table.all()) == 1
    table.before = lambda _arguments: None
    app.handler(s3_event(*records), context)
    assert len(table.all()) == 4


@pytest.mark.parametrize(
    ("source", "failed", "records"),
    [
        ("queue", {"m0", "m2"}, [message(number) for number in range(4)]),
        ("stream", {"0002", "0003"}, [kinesis_record(sequence=f"000{number}") for number in range(4)]),
        ("table", {"0002", "0003"}, [dynamodb_record(sequence=f"000{number}") for number in range(4)]),
    ],
)
def test_where_the_mapping_asks_for_it_the_response_names_what_could_not_be_stored(
    load: Callable[..., ModuleType],
    table: FakeTable,
    context: SimpleNamespace,
    source: str,
    failed: set[str],
    records: list[dict[str, Any]],
) -> None:
    app = load(SOURCES | {source: SOURCES[source] | {"partial": True}})
    assert app.handler(s3_event(*records), context) is None
    table.before = failing(*failed) if source == "queue" else failing(min(failed))
    response = app.handler(s3_event(*records), context)
    assert {item["itemIdentifier"] for item in response["batchItemFailures"]} == failed
    assert len(response["batchItemFailures"]) == 2
    again = [1, 2, 1, 2] if source == "queue" else [2, 2, 1, 1]
    assert [item["deliveries"] for item in table.all()] == again


@pytest.mark.parametrize(
    "records",
    [
        [message(number) for number in range(100)],
        [kinesis_record(sequence=f"{number:04}") for number in range(100)],
        [dynamodb_record(sequence=f"{number:04}") for number in range(100)],
    ],
    ids=["queue", "kinesis", "dynamodb"],
)
def test_a_batch_of_a_hundred_records_takes_one_call(
    app: ModuleType, table: FakeTable, context: SimpleNamespace, records: list[dict[str, Any]]
) -> None:
    app.handler(s3_event(*records), context)
    assert len(table.all()) == 100
    assert table.transactions == 1


def test_two_deliveries_of_one_message_in_a_batch_are_both_counted(
    app: ModuleType, table: FakeTable, context: SimpleNamespace
) -> None:
    app.handler(s3_event(message(1), message(2), message(1)), context)
    assert [item["deliveries"] for item in table.all()] == [2, 1]


def test_a_record_that_cant_be_read_keeps_those_behind_it_from_being_stored_together(
    app: ModuleType, table: FakeTable, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = app.correlate

    def correlate(source: Any, record: Any, body: Any) -> Any:
        if record.identity.endswith("0001"):
            raise RecursionError("too deep")
        return original(source, record, body)

    monkeypatch.setattr(app, "correlate", correlate)
    with pytest.raises(app.RecordsNotStoredError, match="2 of 3 not stored"):
        app.handler(s3_event(*(kinesis_record(sequence=f"000{n}") for n in range(3))), context)
    assert len(table.all()) == 1


def test_a_record_that_no_response_can_name_fails_its_whole_event(
    asking: ModuleType, table: FakeTable, context: SimpleNamespace
) -> None:
    nameless = message(1) | {"messageId": None}
    table.before = failing("")
    with pytest.raises(asking.RecordsNotStoredError, match="2 of 2 not stored"):
        asking.handler(s3_event(message(0), nameless), context)


def test_what_could_not_be_stored_is_named_with_its_reason(
    app: ModuleType, s3: FakeS3, table: FakeTable, context: SimpleNamespace
) -> None:
    event = s3_event(*(put(s3, f"run/{number}", b"body") for number in range(3)))
    event["Records"][1]["s3"]["object"]["sequencer"] = "FFFF"
    table.before = failing("FFFF")
    with pytest.raises(app.RecordsNotStoredError, match=r"1 of 3 .*s3 event bucket/run/1/FFFF: .*Throughput"):
        app.handler(event, context)
    assert [item["correlation_id"] for item in table.all()] == ["run/0", "run/2"]


def test_an_object_that_cant_be_read_fails_its_record_only(
    app: ModuleType, s3: FakeS3, table: FakeTable, context: SimpleNamespace
) -> None:
    event = s3_event(put(s3, "run/1", b"body"), put(s3, "run/2", b"body"))

    def deny_first(operation: str) -> None:
        s3.before = lambda operation: None
        raise client_error(operation, "AccessDenied", 403)

    s3.before = deny_first
    with pytest.raises(app.RecordsNotStoredError, match=r"1 of 2.*AccessDenied"):
        app.handler(event, context)
    assert table.only()["correlation_id"] == "run/2"


def test_an_object_that_is_gone_is_stored_as_gone(
    app: ModuleType, table: FakeTable, context: SimpleNamespace
) -> None:
    app.handler(s3_event(s3_record("bucket", "run/case")), context)
    item = table.only()
    assert (item["body_kind"], item["gone_reason"], item["correlation_id"]) == ("gone", "deleted", "run/case")


def test_each_record_is_logged_with_its_correlation_id_and_no_content(
    app: ModuleType, table: FakeTable, context: SimpleNamespace, log_lines: LogLines
) -> None:
    table.before = failing("m2")
    with pytest.raises(app.RecordsNotStoredError):
        app.handler(s3_event(message(1, "secret"), message(2, "secret"), sqs_record("secret")), context)
    lines = log_lines(app)
    assert [(line["message"], line.get("correlation_id")) for line in lines] == [
        ("recorded", "run/1"),
        ("not recorded", "run/2"),
        ("recorded", None),
    ]
    assert lines[0]["event_id"] == "queue:m1"
    assert lines[0]["function_request_id"] == "request-1"
    assert "ProvisionedThroughputExceeded" in lines[1]["exception"]
    assert "secret" not in json.dumps(lines)


def test_a_record_that_fails_early_isnt_logged_under_the_id_of_the_one_before(
    app: ModuleType, s3: FakeS3, context: SimpleNamespace, log_lines: LogLines
) -> None:
    event = s3_event(put(s3, "run/1", b"body"), put(s3, "run/2", b"body"))

    def deny_second(operation: str) -> None:
        if s3.calls["GetObject"] == 2:
            raise client_error(operation, "AccessDenied", 403)

    s3.before = deny_second
    with pytest.raises(app.RecordsNotStoredError):
        app.handler(event, context)
    recorded, failed = log_lines(app)
    assert recorded["correlation_id"] == "run/1"
    assert "correlation_id" not in failed
    assert "run/2" in failed["record"]


def test_a_write_is_over_while_readers_still_look_back_to_its_stamp(app: ModuleType) -> None:
    config = app.dynamodb.meta.config
    attempts = config.retries["total_max_attempts"]
    pauses = sum(2**number for number in range(attempts - 1))  # the longest of botocore's standard mode
    assert config.retries["mode"] == "standard"
    assert attempts * (config.connect_timeout + config.read_timeout) + pauses < OVERLAP


RECORDS = st.one_of(
    st.just(kinesis_record(b"\xff")),
    st.just(sns_record()),
    st.just(dynamodb_record()),
    st.just(eventbridge_event()),
    st.builds(message, st.integers(0, 9), st.text()),
    st.builds(s3_record, st.just("bucket"), st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
    st.dictionaries(st.sampled_from(["eventSource", "messageId", "detail-type"]), st.text()),
    st.none() | st.integers() | st.text(st.characters()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(RECORDS, max_size=6))
def test_any_mix_of_records_is_stored_without_a_loss(
    app: ModuleType, table: FakeTable, context: SimpleNamespace, records: list[Any]
) -> None:
    table.items.clear()
    app.handler({"Records": records}, context)
    assert sum(item["deliveries"] for item in table.all()) == len(records)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.builds(message, st.integers(0, 9)) | st.just("no record")), st.sets(st.integers(0, 9)))
def test_whatever_could_not_be_stored_is_told_to_lambda(
    asking: ModuleType, table: FakeTable, context: SimpleNamespace, records: list[Any], failed: set[int]
) -> None:
    table.items.clear()
    table.before = failing(*(f"m{number}" for number in failed))
    response = asking.handler({"Records": records}, context)
    told = {item["itemIdentifier"] for item in response["batchItemFailures"]} if response else set()
    sent = {record["messageId"] for record in records if record != "no record"}
    assert told == sent & {f"m{number}" for number in failed}
    assert sum(item["deliveries"] for item in table.all()) == len(
        [record for record in records if record == "no record" or record["messageId"] not in told]
    )


def in_queue(*records: Any, **more: Any) -> dict[str, Any]:
    return s3_event(sqs_record(json.dumps(s3_event(*records)), message_id="m1", **more))


PLAIN = {"queue": {"type": "sqs", "match": QUEUE}, "stream": {"type": "kinesis", "match": STREAM}}


def test_each_object_that_a_message_names_is_a_result_with_its_content(
    load: Callable[..., ModuleType], s3: FakeS3, table: FakeTable, context: SimpleNamespace
) -> None:
    app = load(PLAIN)
    records = [put(s3, f"run/{name}", name.encode()) for name in ("a b.txt", "plus+ü.txt")]
    records.append(put(s3, "run/large", b"x" * 1001))
    app.handler(in_queue(*records), context)
    items = {item["correlation_id"]: item for item in table.all()}
    assert items["run/a b.txt"]["body"] == "a b.txt"
    assert items["run/plus+ü.txt"]["body"] == "plus+ü.txt"
    assert s3.buckets["overflow"][items["run/large"]["overflow"]["key"]].data == b"x" * 1001
    assert {item["source_type"] for item in items.values()} == {"sqs"}
    assert json.loads(items["run/large"]["metadata"])["unwrapped"] == ["s3"]


def test_an_object_that_may_not_be_read_leaves_the_event_as_the_body_and_says_what_to_do(
    load: Callable[..., ModuleType], s3: FakeS3, table: FakeTable, context: SimpleNamespace
) -> None:
    app = load(PLAIN)

    def denied(operation: str) -> None:
        if operation == "GetObject":
            raise client_error(operation, "AccessDenied", 403)

    event = in_queue(put(s3, "run/a", b"x"))
    s3.before = denied
    app.handler(event, context)
    item = table.only()
    assert json.loads(item["body"])["Records"][0]["s3"]["object"]["key"] == "run/a"
    assert item["correlation_id"] == "run/a"
    assert json.loads(item["metadata"])["body_error"] == (
        "s3://bucket/run/a may not be read: name its bucket in the module's `read_buckets`"
    )


@pytest.mark.parametrize("moved", [True, False])
def test_an_object_that_can_not_be_read_now_makes_its_message_come_again(
    load: Callable[..., ModuleType],
    s3: FakeS3,
    table: FakeTable,
    context: SimpleNamespace,
    log_lines: LogLines,
    moved: bool,
) -> None:
    app = load({"queue": PLAIN["queue"] | {"partial": True}})
    pointer = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "bucket", "s3Key": "k"}]
    size = {"ExtendedPayloadSize": {"dataType": "Number", "stringValue": "300000"}}
    if moved:
        event = s3_event(sqs_record(json.dumps(pointer), message_id="m1", attributes=size))
    else:
        event = in_queue(put(s3, "run/a", b"x"), put(s3, "run/b", b"x"))

    def busy(operation: str) -> None:
        if operation == "GetObject":
            raise client_error(operation, "SlowDown", 503)

    s3.before = busy
    assert app.handler(event, context) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert not table.items
    assert log_lines(app)[-1]["message"] == "not recorded"


def test_after_an_aggregated_record_that_was_not_stored_no_other_one_of_its_shard_is(
    load: Callable[..., ModuleType], table: FakeTable, context: SimpleNamespace
) -> None:
    app = load(PLAIN)
    table.before = failing("/1")
    first = kinesis_record(kpl(*((f"run/{n}", b"x") for n in range(3))), sequence="1")
    second = kinesis_record(partition_key="run/3", sequence="2")
    with pytest.raises(app.RecordsNotStoredError, match="3 of 4 not stored"):
        app.handler(s3_event(first, second), context)
    assert table.only()["correlation_id"] == "run/0"


def test_a_source_may_keep_its_bodies_as_they_are(
    load: Callable[..., ModuleType], s3: FakeS3, table: FakeTable, context: SimpleNamespace
) -> None:
    app = load({"queue": PLAIN["queue"] | {"unwrap": False}})
    event = in_queue(put(s3, "run/a", b"x"), attributes={"correlation_id": sqs_attribute("run/1")})
    app.handler(event, context)
    assert table.only()["body"] == event["Records"][0]["body"]


def test_a_source_may_name_what_is_always_taken_off(
    load: Callable[..., ModuleType], table: FakeTable, context: SimpleNamespace
) -> None:
    load({"queue": PLAIN["queue"] | {"decode": ["base64"]}}).handler(
        s3_event(message(1, "aGVsbG8=")), context
    )
    assert table.only()["body"] == "hello"
