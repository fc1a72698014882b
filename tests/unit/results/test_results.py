import hashlib
from datetime import UTC, datetime

import pytest
from listener_fakes import World, client_error

from event_harness.errors import BodyError, MachineError, ResultsUnavailableError


def result_of(world, body="HELLO", correlation_id="run/a", **more):
    event_id = world.table.record(correlation_id, body, **more)["event_id"]
    return next(result for result in world.listener.results() if result.event_id == event_id)


@pytest.fixture
def world():
    return World()


def test_a_result_says_what_the_item_says(world):
    result = result_of(world, correlation_id="run/case/input.txt", event_time=999_500, skew=0.25)
    assert result.correlation_id == "run/case/input.txt"
    assert (result.session_id, result.case_id) == ("run", "case/input.txt")
    assert result.event_time == datetime.fromtimestamp(999.5, UTC)
    assert result.received_at == result.first_received_at == datetime.fromtimestamp(1000.25, UTC)
    assert (result.deliveries, result.size, result.source, result.source_type) == (1, 5, "destination", "s3")
    assert result.metadata == {"key": "run/case/input.txt"}


def test_a_text_is_read_as_text_and_as_bytes(world):
    result = result_of(world, "ΐ ß")
    assert result.text == "ΐ ß"
    assert result.body == "ΐ ß".encode()


def test_bytes_are_read_as_they_are(world):
    assert result_of(world, b"\x00\xff").body == b"\x00\xff"


def test_an_empty_body_is_empty(world):
    assert result_of(world, "").body == b""


def test_json_is_decoded(world):
    assert result_of(world, '{"a": [1, 2]}').json() == {"a": [1, 2]}


def test_a_body_is_fetched_once_and_only_when_asked_for(world):
    result = result_of(world)
    world.table.get_errors = [AssertionError("fetched before it was asked for")]
    with pytest.raises(AssertionError):
        _ = result.body
    _ = result.body
    world.table.gone = True
    assert result.text == "HELLO"


def test_bytes_that_are_no_text_name_the_first_wrong_byte(world):
    with pytest.raises(BodyError, match=r"not UTF-8 at byte 2 of 3; read \.body"):
        _ = result_of(world, b"ab\xff").text


def test_text_that_is_no_json_says_where_and_not_what(world):
    with pytest.raises(BodyError, match=r"not JSON \(line 1, column 1") as caught:
        result_of(world, "secret").json()
    assert "secret" not in str(caught.value)


def test_an_object_that_was_gone_says_why(world):
    result = result_of(world, "", body_kind="gone", gone_reason="overwritten")
    with pytest.raises(BodyError, match="body of run/a is gone: the object was overwritten before"):
        _ = result.body


def test_an_item_that_expired_is_a_body_that_is_gone(world):
    result = result_of(world)
    world.table.items.clear()
    with pytest.raises(BodyError, match="its item expired or was deleted"):
        _ = result.body


def overflowing(world, body, **claim):
    claim = {"bucket": "overflow", "key": "k", "size": len(body)} | claim
    world.buckets.objects["overflow"]["k"] = (body, {})
    return result_of(world, "", body_kind="overflow", overflow=claim)


def test_a_large_body_comes_from_the_overflow_bucket(world):
    body = b"x" * 500_000
    assert overflowing(world, body, sha256=hashlib.sha256(body).hexdigest()).body == body


def test_a_copy_without_a_checksum_is_held_against_its_size_and_etag(world):
    assert overflowing(world, b"copy").body == b"copy"
    assert overflowing(world, b"copy", etag="etag").body == b"copy"
    with pytest.raises(BodyError, match="was changed since"):
        _ = overflowing(world, b"copy", etag="another").body


def test_a_large_body_that_was_changed_is_refused(world):
    with pytest.raises(BodyError, match="s3://overflow/k was changed since: its checksum is wrong"):
        _ = overflowing(world, b"changed", sha256=hashlib.sha256(b"as it was").hexdigest()).body
    with pytest.raises(BodyError, match="has 7 bytes in s3://overflow/k, 9 were stored"):
        _ = overflowing(world, b"changed", size=9).body


@pytest.mark.parametrize(
    "claim",
    [
        {"bucket": "source-bucket"},
        {"bucket": 7},
        {"key": None},
        {"size": "large"},
    ],
    ids=str,
)
def test_a_claim_check_may_name_the_overflow_bucket_of_the_map_only(world, claim):
    world.buckets.objects["source-bucket"]["k"] = (b"secret", {})
    result = overflowing(world, b"secret", **claim)
    with pytest.raises(BodyError, match="its claim check names"):
        _ = result.body


def test_a_large_body_that_is_gone_is_named(world):
    result = overflowing(world, b"x")
    del world.buckets.objects["overflow"]["k"]
    with pytest.raises(BodyError, match="is gone from s3://overflow/k"):
        _ = result.body


def test_a_table_that_is_gone_cannot_heal(world):
    result = result_of(world)
    world.table.gone = True
    with pytest.raises(ResultsUnavailableError, match=r"results table results.*dynamodb:GetItem"):
        _ = result.body


def test_a_throttled_body_can_be_read_again(world):
    result = result_of(world)
    world.table.get_errors = [client_error("ThrottlingException")]
    with pytest.raises(MachineError, match="ThrottlingException"):
        _ = result.body
    assert result.text == "HELLO"


def test_results_are_in_order_of_event_time(world):
    world.table.record("run/a", event_time=3000)
    world.table.record("run/b", event_time=1000, skew=1)
    world.table.record("run/c", event_time=2000, skew=2)
    assert [result.case_id for result in world.listener.results()] == ["b", "c", "a"]


def test_results_without_an_event_time_are_in_order_of_arrival(world):
    world.table.record("run/a", skew=2)
    world.table.record("run/b", skew=1)
    assert [result.case_id for result in world.listener.results()] == ["b", "a"]


def test_what_a_result_says_of_itself_holds_no_content(world):
    result = result_of(world, "secret")
    _ = result.body
    assert "secret" not in str(result)
    assert "secret" not in repr(result)
