import pytest
from failures import MalformedEventError
from hypothesis import given
from hypothesis import strategies as st
from notifications import SourceVersion, is_newer, read_record, records_of
from s3_events import s3_event, s3_record

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.parametrize("key", ["a b.txt", "a+b.txt", "äöü/日本.txt", "100%.txt", "a%2Bb.txt"])
def test_keys_are_decoded(key: str) -> None:
    assert read_record(s3_record("bucket", key)).key == key


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_key_comes_back_as_it_was(key: str) -> None:
    assert read_record(s3_record("bucket", key)).key == key


def test_a_record_is_read_whole() -> None:
    version = read_record(s3_record("bucket", "key.txt", etag="abc", sequencer="0A"))
    assert version == SourceVersion("bucket", "key.txt", "abc", "0A")


def test_an_event_without_a_sequencer_is_read_too() -> None:
    assert read_record(s3_record("bucket", "key.txt", etag="abc", sequencer=None)).sequencer is None


def test_the_test_event_of_s3_has_no_records() -> None:
    assert records_of({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "bucket"}) == []


def test_an_event_with_records_is_no_test_event_whatever_it_says() -> None:
    assert records_of({"Event": "s3:TestEvent", "Records": [1]}) == [1]


@pytest.mark.parametrize(
    "event",
    [None, [], "text", {}, {"Records": None}, {"Records": {}}, {"Event": "s3:TestEvent", "Records": {}}],
)
def test_what_is_no_event_of_s3_fails_clearly(event: object) -> None:
    with pytest.raises(MalformedEventError, match="Records"):
        records_of(event)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("s3.bucket.name", None),
        ("s3.object.key", None),
        ("s3.object.key", ""),
        ("s3.object.key", "\ud800"),
        ("s3.object.eTag", 7),
        ("s3.object.sequencer", "not hexadecimal"),
        ("eventName", None),
    ],
)
def test_a_field_that_is_missing_or_unusable_is_named(path: str, value: object) -> None:
    record = s3_record("bucket", "key.txt")
    *parents, last = path.split(".")
    parent = record
    for step in parents:
        parent = parent[step]
    parent[last] = value
    with pytest.raises(MalformedEventError, match=path):
        read_record(record)


def test_an_event_of_another_kind_is_refused() -> None:
    with pytest.raises(MalformedEventError, match="ObjectRemoved:Delete"):
        read_record(s3_record("bucket", "key.txt", name="ObjectRemoved:Delete"))


@given(JSON)
def test_any_json_is_read_or_fails_clearly(record: object) -> None:
    with pytest.raises(MalformedEventError):
        read_record(record)


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        ("0B", "0A", True),
        ("0A", "0B", False),
        ("0A", "0A", False),
        ("0a", "0B", False),
        ("0A1", "0A", True),
        ("0A0", "0A", False),  # filled up with zeros on the right, as S3 says
        ("1", "0FFF", True),
    ],
)
def test_sequencers_are_compared_as_s3_says(one: str, other: str, newer: bool) -> None:
    assert is_newer(one, other) is newer


def test_an_event_holds_its_records() -> None:
    records = [s3_record("bucket", "a"), s3_record("bucket", "b")]
    assert records_of(s3_event(*records)) == records
