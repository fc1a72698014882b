import json

import pytest
from adapters import read
from aws_events import QUEUE, TABLE, dynamodb_record, eventbridge_event, sqs_record, wrapped
from s3_events import s3_record
from settings import SettingError, Settings, Source

SOURCES = {
    "destination": {"type": "s3", "match": "bucket", "correlation": {"from": "key", "at": None}},
    "queue": {"type": "sqs", "match": QUEUE, "correlation": {"from": "attribute", "at": "id"}},
    "table": {"type": "dynamodb", "match": TABLE, "correlation": {"from": "key"}},
    "bus": {"type": "eventbridge", "match": "bus", "correlation": {"from": "body", "at": "id"}},
}
ENVIRON = {
    "RESULTS_TABLE": "results",
    "OVERFLOW_BUCKET": "overflow",
    "RESULT_TTL_SECONDS": "3600",
    "INLINE_LIMIT_BYTES": "1000",
    "SOURCES": json.dumps(SOURCES),
}


def test_the_environment_is_read_whole() -> None:
    settings = Settings.from_environ(ENVIRON)
    assert (settings.table, settings.overflow_bucket) == ("results", "overflow")
    assert (settings.ttl, settings.inline_limit) == (3600, 1000)
    assert settings.sources[:2] == (
        Source("destination", "s3", "bucket", "key", None),
        Source("queue", "sqs", QUEUE, "attribute", "id"),
    )


def test_only_a_source_that_says_so_gets_partial_batch_responses() -> None:
    sources = {
        name: SOURCES["queue"] | {"match": name, **said}
        for name, said in {"asks": {"partial": True}, "says no": {"partial": False}, "is silent": {}}.items()
    }
    settings = Settings.from_environ(ENVIRON | {"SOURCES": json.dumps(sources)})
    assert [source.name for source in settings.sources if source.partial] == ["asks"]


@pytest.mark.parametrize("name", ["RESULTS_TABLE", "OVERFLOW_BUCKET", "RESULT_TTL_SECONDS", "SOURCES"])
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is not set"):
        Settings.from_environ(ENVIRON | {name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RESULT_TTL_SECONDS", "an hour"),
        ("INLINE_LIMIT_BYTES", "-1"),
        ("SOURCES", "{"),
        ("SOURCES", "[]"),
        ("SOURCES", '{"a": {"type": "s3"}}'),
    ],
)
def test_a_variable_that_cant_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        Settings.from_environ(ENVIRON | {name: value})


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (s3_record("bucket", "key"), "destination"),
        (sqs_record(), "queue"),
        (dynamodb_record(), "table"),
        (dynamodb_record() | {"eventSourceARN": TABLE}, "table"),
        (dynamodb_record() | {"eventSourceARN": f"{TABLE}-2/stream/x"}, "unknown"),
        (wrapped(eventbridge_event(), "bus"), "bus"),
        (wrapped(eventbridge_event(), "other"), "unknown"),
        (eventbridge_event(), "bus"),
        (s3_record("other", "key"), "unknown"),
        (sqs_record(arn="arn:other"), "unknown"),
        ("what?", "unknown"),
    ],
)
def test_a_record_is_told_by_its_origin(raw: object, name: str) -> None:
    record = read(raw)
    source = Settings.from_environ(ENVIRON).source_of(record)
    assert (source.name, source.type) == (name, record.source_type)


def test_of_two_buses_a_bare_event_could_be_either() -> None:
    two = SOURCES | {"second": SOURCES["bus"] | {"match": "second"}}
    settings = Settings.from_environ(ENVIRON | {"SOURCES": json.dumps(two)})
    assert settings.source_of(read(eventbridge_event())).name == "unknown"
    assert settings.source_of(read(wrapped(eventbridge_event(), "second"))).name == "second"
