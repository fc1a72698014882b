import json
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from aws_fakes import FakeS3
from failures import MalformedEventError, RecordsFailedError
from processor import TextProcessor
from s3_events import s3_event, s3_record

LogLines = Callable[[ModuleType], list[dict[str, Any]]]


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3("source", "destination")


@pytest.fixture
def app(load_app: Callable[..., ModuleType], s3: FakeS3) -> ModuleType:
    module = load_app("text_processor", DESTINATION_BUCKET="destination", PART_SIZE_BYTES="1000")
    module.processor = TextProcessor(s3, "destination", 1000)
    return module


def put(s3: FakeS3, key: str, data: bytes) -> dict[str, Any]:
    return s3_record("source", key, etag=s3.add("source", key, data).etag)


def test_each_record_of_an_event_is_processed(app: ModuleType, s3: FakeS3, context: SimpleNamespace) -> None:
    app.handler(s3_event(put(s3, "a b.txt", b"one"), put(s3, "a+b.txt", b"two")), context)
    assert {key: item.data for key, item in s3.buckets["destination"].items()} == {
        "a b.txt": b"ONE",
        "a+b.txt": b"TWO",
    }


def test_bad_records_dont_stop_the_good_ones_and_are_all_named(
    app: ModuleType, s3: FakeS3, context: SimpleNamespace
) -> None:
    event = s3_event(
        put(s3, "bad.txt", b"ok\xff"),
        {"no": "record"},
        s3_record("source", "missing.txt"),
        put(s3, "good.txt", b"good"),
    )
    with pytest.raises(RecordsFailedError) as raised:
        app.handler(event, context)
    message = str(raised.value)
    assert message.startswith("3 of 4 records failed: ")
    assert "s3://source/bad.txt: NotUtf8Error: not UTF-8 at byte offset 2" in message
    assert "record 1: MalformedEventError" in message
    assert "s3://source/missing.txt: SourceDeletedError" in message
    assert list(s3.buckets["destination"]) == ["good.txt"]


def test_an_event_sent_again_after_a_partial_failure_writes_only_what_is_missing(
    app: ModuleType, s3: FakeS3, context: SimpleNamespace
) -> None:
    late = s3_record("source", "late.txt", etag=FakeS3("source").add("source", "late.txt", b"late").etag)
    event = s3_event(put(s3, "good.txt", b"good"), late)
    with pytest.raises(RecordsFailedError, match="1 of 2"):
        app.handler(event, context)
    good = s3.buckets["destination"]["good.txt"]
    s3.add("source", "late.txt", b"late")
    app.handler(event, context)
    assert s3.buckets["destination"]["late.txt"].data == b"LATE"
    assert s3.buckets["destination"]["good.txt"] is good


def test_the_test_event_of_s3_is_ignored(app: ModuleType, s3: FakeS3, context: SimpleNamespace) -> None:
    app.handler({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "source"}, context)
    assert not s3.calls


def test_an_event_of_another_shape_fails_clearly(app: ModuleType, context: SimpleNamespace) -> None:
    with pytest.raises(MalformedEventError, match="no list Records"):
        app.handler({"detail": {}}, context)


def test_each_line_of_a_record_carries_its_correlation_id_and_no_content(
    app: ModuleType, s3: FakeS3, context: SimpleNamespace, log_lines: LogLines
) -> None:
    event = s3_event(put(s3, "run/case/good.txt", b"secret"), put(s3, "run/case/bad.txt", b"secret\xff"))
    with pytest.raises(RecordsFailedError) as raised:
        app.handler(event, context)
    lines = log_lines(app)
    assert [(line["message"], line["correlation_id"]) for line in lines] == [
        ("processing", "run/case/good.txt"),
        ("written", "run/case/good.txt"),
        ("processing", "run/case/bad.txt"),
        ("failed", "run/case/bad.txt"),
    ]
    assert {line["function_request_id"] for line in lines} == {"request-1"}
    assert "secret" not in json.dumps(lines).lower() + str(raised.value).lower()


def test_an_unexpected_error_is_logged_with_the_way_there(
    app: ModuleType, s3: FakeS3, context: SimpleNamespace, log_lines: LogLines
) -> None:
    def fail(operation: str) -> None:
        raise ConnectionError("reset")

    s3.before = fail
    with pytest.raises(RecordsFailedError, match="ConnectionError: reset"):
        app.handler(s3_event(put(s3, "key.txt", b"text")), context)
    assert "process" in log_lines(app)[-1]["exception"]
