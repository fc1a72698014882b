import json
from typing import Any

import pytest
from adapters import read
from aws_events import (
    dynamodb_record,
    eventbridge_event,
    kinesis_record,
    sns_record,
    sqs_attribute,
    sqs_record,
)
from correlation import UNCORRELATED, Correlation, correlate, cut
from hypothesis import given
from hypothesis import strategies as st
from records import Record
from s3_events import s3_record
from settings import Source


def found(
    raw: Any, where: str | None, at: str | None = None, body: bytes | None = None
) -> tuple[str | None, str | None]:
    record = read(raw)
    if body is None and isinstance(record.body, bytes):
        body = record.body
    correlation = correlate(Source("name", record.source_type, "", where, at), record, body)
    assert correlation.session_id == (correlation.correlation_id or UNCORRELATED).partition("/")[0]
    return correlation.correlation_id, correlation.error


@pytest.mark.parametrize(
    "raw",
    [
        s3_record("bucket", "run/case"),
        kinesis_record(partition_key="run/case"),
        dynamodb_record({"id": {"S": "run/case"}}),
    ],
)
def test_the_key_can_be_the_id(raw: object) -> None:
    assert found(raw, "key") == ("run/case", None)


def test_of_several_keys_of_a_table_the_setting_names_one() -> None:
    raw = dynamodb_record({"pk": {"S": "run/case"}, "sk": {"N": "7"}})
    assert found(raw, "key", "pk") == ("run/case", None)
    assert found(raw, "key", "sk") == ("7", None)
    assert found(raw, "key", "id") == (None, "the event has no key 'id'")
    assert found(raw, "key") == (None, "the event has 2 keys: the setting `at` must name one")


@pytest.mark.parametrize(
    ("carried", "read_as"),
    [
        ("s1m86p1qsytdxp_01M8AZ9B8MYEZQ6QB8J3Q0YPP1", "s1m86p1qsytdxp/01M8AZ9B8MYEZQ6QB8J3Q0YPP1"),
        ("s1m86p1qsytdxp_order_17", "s1m86p1qsytdxp/order_17"),
        ("s1m86p1qsytdxp/a_b", "s1m86p1qsytdxp/a_b"),
        ("xs1m86p1qsytdxp_a", "xs1m86p1qsytdxp_a"),
        ("s1m86p1qsytdx_a", "s1m86p1qsytdx_a"),
        ("s1m86p1qsytdxl_a", "s1m86p1qsytdxl_a"),
        ("s1m86p1qsytdxp_", "s1m86p1qsytdxp_"),
    ],
)
def test_an_id_that_was_the_name_of_an_execution_gets_its_slash_back(carried: str, read_as: str) -> None:
    assert found(s3_record("bucket", carried), "key") == (read_as, None)


@pytest.mark.parametrize("pattern", ["out/*.json", "out/*", "*.json", "*"])
def test_a_pattern_says_which_part_of_the_key_is_the_id(pattern: str) -> None:
    before, after = pattern.split("*")
    assert found(s3_record("bucket", f"{before}run/case{after}"), "key", pattern) == ("run/case", None)
    assert found(kinesis_record(partition_key=f"{before}run/*{after}"), "key", pattern) == ("run/*", None)


@pytest.mark.parametrize("key", ["in/run/case.json", "out/run/case.txt", "out/x.json/case", "out"])
def test_a_key_that_looks_different_is_no_id(key: str) -> None:
    assert found(s3_record("bucket", key), "key", "out/*.json") == (
        None,
        "the key doesn't match 'out/*.json'",
    )


def test_nothing_between_the_ends_of_a_pattern_is_no_id() -> None:
    assert found(s3_record("bucket", "out/.json"), "key", "out/*.json")[1] == (
        "the correlation id is empty, or starts with a slash"
    )
    assert found(s3_record("bucket", "a"), "key", "a*a")[1] == "the key doesn't match 'a*a'"


def test_an_event_without_a_key_has_none() -> None:
    assert found(sqs_record(), "key")[1] == "the event has 0 keys: the setting `at` must name one"


def test_a_message_attribute_can_be_the_id() -> None:
    attributes = {"correlation_id": sqs_attribute("run/case"), "other": sqs_attribute("run/other")}
    assert found(sqs_record(attributes=attributes), "attribute") == ("run/case", None)
    assert found(sqs_record(attributes=attributes), "attribute", "other") == ("run/other", None)
    assert found(sqs_record(), "attribute") == (None, "there is no message attribute 'correlation_id'")
    sns = sns_record(attributes={"correlation_id": {"Type": "String", "Value": "run/case"}})
    assert found(sns, "attribute") == ("run/case", None)


@pytest.mark.parametrize(
    ("raw", "at"),
    [
        (eventbridge_event({"order": {"id": "run/case"}}), "order.id"),
        (eventbridge_event({"correlation_id": "run/case"}), None),
        (sqs_record('[{"id": "run/case"}]'), "[0].id"),
        (kinesis_record(b'{"id": "run/case"}'), "id"),
        (dynamodb_record(new={"order": {"S": "run/case"}}), "new_image.order"),
        (sqs_record(json.dumps({"Message": '{"id": "run/case"}'})), "powertools_json(Message).id"),
    ],
)
def test_an_expression_finds_the_id_in_a_json_body(raw: object, at: str | None) -> None:
    assert found(raw, "body", at) == ("run/case", None)


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (7, "7"), (1.5, "1.5"), ("a/b/c", "a/b/c")])
def test_an_id_is_text_or_a_number(value: object, text: str) -> None:
    assert found(sqs_record(json.dumps({"id": value})), "body", "id") == (text, None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "isn't JSON: Expecting"),
        ("", "isn't JSON: Expecting"),
        ("[" * 100_000, "isn't JSON: maximum recursion"),
        ("{}", "the body has nothing at 'id'"),
        ('{"id": true}', "not bool"),
        ('{"id": ["a"]}', "not list"),
        ('{"id": NaN}', "not float"),
        ('{"id": ""}', "empty"),
        ('{"id": "/a"}', "starts with a slash"),
        ('{"id": "\\ud800"}', "isn't valid Unicode"),
        (json.dumps({"id": "x" * 8193}), "has 8193 bytes, more than 8192"),
    ],
)
def test_without_a_usable_id_an_event_is_uncorrelated_with_the_reason(body: str, reason: str) -> None:
    correlation_id, error = found(sqs_record(body), "body", "id")
    assert correlation_id is None
    assert error
    assert reason in error


def test_bytes_that_arent_utf8_are_no_json() -> None:
    assert found(kinesis_record(b'{"id": "\xff"}'), "body", "id")[1] == "the body isn't JSON: it isn't UTF-8"


@pytest.mark.parametrize("expression", ["[", "powertools_json(id)", "powertools_base64(id)", "unknown(id)"])
def test_an_expression_that_fails_on_a_body_is_named(expression: str) -> None:
    _, error = found(sqs_record('{"id": "secret}"}'), "body", expression)
    assert error
    assert repr(expression) in error
    assert "secret" not in error


def test_a_body_that_wasnt_read_holds_no_id() -> None:
    assert "over the inline limit" in str(found(s3_record("bucket", "key"), "body", "id")[1])


def test_a_strangers_event_is_uncorrelated() -> None:
    assert found(eventbridge_event({"else": 1}), "body", "order.id")[0] is None
    assert found(sqs_record(), None) == (None, "no source of the listener matches the event")
    assert found("what?", None) == (None, "the record can't be read")
    assert found(sqs_record(), "moon") == (None, "a correlation id can't be taken from 'moon'")


@pytest.mark.parametrize("characters", ["x", "é", "🙂"])
def test_an_id_of_a_thousand_characters_is_kept_whole(characters: str) -> None:
    correlation_id = "run/" + characters * 1000
    attributes = {"correlation_id": sqs_attribute(correlation_id)}
    assert found(sqs_record(attributes=attributes), "attribute") == (correlation_id, None)


def test_a_session_id_that_is_too_long_for_a_key_is_cut_and_the_correlation_id_is_not() -> None:
    record = Record("sqs", "", "id", b"", {}, attributes={"correlation_id": "r" * 3000})
    correlation = correlate(Source("name", "sqs", "", "attribute"), record, b"")
    assert correlation.correlation_id == "r" * 3000
    assert len(correlation.session_id) == 2044


def test_the_event_id_is_the_sources_name_and_the_events_identity() -> None:
    correlation = correlate(
        Source("name", "s3", "", "key"), read(s3_record("b", "run/k", sequencer="0A")), None
    )
    assert correlation == Correlation("run", "name:b/run/k/0A", "run/k")


def test_identities_that_are_too_long_stay_different() -> None:
    key = "run/" + "ü" * 508  # 1,020 bytes: S3 allows 1,024
    one, other = (
        correlate(Source("name", "s3", "", "key"), read(s3_record("bucket", key, sequencer=sequencer)), None)
        for sequencer in ("0A", "0B")
    )
    assert one.correlation_id == other.correlation_id == key
    assert one.event_id != other.event_id
    assert max(len(one.event_id.encode()), len(other.event_id.encode())) <= 1024


@given(st.text(st.characters()), st.integers(70, 300))
def test_cut_keeps_what_fits_and_bounds_the_rest(text: str, limit: int) -> None:
    result = cut(text, limit)
    whole = text.encode("utf-8", "backslashreplace")
    assert len(result.encode()) <= limit
    if len(whole) <= limit:
        assert result.encode() == whole
    else:
        assert whole.startswith(result.rpartition("#")[0].encode())


@given(st.text(st.characters()), st.sampled_from(["key", "attribute", "body"]))
def test_any_id_is_used_or_refused_with_a_reason(text: str, where: str) -> None:
    record = Record("sqs", "", "id", b"", {}, keys={"k": text}, attributes={"correlation_id": text})
    body = json.dumps({"correlation_id": text}).encode()
    correlation = correlate(Source("name", "sqs", "", where), record, body)
    if correlation.error:
        assert (correlation.session_id, correlation.correlation_id) == (UNCORRELATED, None)
    else:
        assert correlation.correlation_id == text
        assert text.startswith(correlation.session_id)
        assert correlation.session_id
