import hashlib
from typing import Any

import bodies as bodies_module
import pytest
from aws_fakes import FakeS3, client_error
from bodies import MAX_INLINE, Bodies, LargeObject, Overflow
from botocore.exceptions import ClientError
from correlation import Correlation
from hypothesis import given
from hypothesis import strategies as st
from records import Gone, S3Object
from s3transfer.exceptions import S3CopyFailedError

LIMIT = 100
LARGE = b"\xff" * (LIMIT + 1)
CORRELATION = Correlation("run", "source:identity", "run/case")
PLACE = f"session-run/{hashlib.sha256(b'source:identity').hexdigest()}"


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3("bucket", "overflow")


@pytest.fixture
def bodies(s3: FakeS3) -> Bodies:
    return Bodies(s3, "overflow", LIMIT)


@pytest.fixture
def copied_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every object were over the 5 GB that one CopyObject takes."""
    monkeypatch.setattr(bodies_module, "MOST_AT_ONCE", 1)


def put(s3: FakeS3, data: bytes, key: str = "key") -> S3Object:
    return S3Object("bucket", key, s3.add("bucket", key, data).etag, len(data))


def kept(bodies: Bodies, body: bytes | S3Object | Gone) -> bytes | Overflow | Gone:
    return bodies.keep(bodies.read(body), CORRELATION)


@pytest.mark.parametrize("data", [b"", b"text", b"\xff\x00", b"x" * LIMIT])
def test_a_small_body_is_kept_in_the_item(bodies: Bodies, s3: FakeS3, data: bytes) -> None:
    assert kept(bodies, data) == data
    assert kept(bodies, put(s3, data)) == data
    assert not s3.buckets["overflow"]


def test_a_large_body_is_put_into_the_overflow_bucket_with_its_checksum(bodies: Bodies, s3: FakeS3) -> None:
    digest = hashlib.sha256(LARGE).hexdigest()
    assert kept(bodies, LARGE) == Overflow("overflow", PLACE, len(LARGE), digest)
    assert s3.buckets["overflow"][PLACE].data == LARGE


def test_a_large_object_is_copied_within_s3_and_not_read(bodies: Bodies, s3: FakeS3) -> None:
    body = put(s3, LARGE)
    assert bodies.read(body) == LargeObject(body, len(LARGE))
    assert kept(bodies, body) == Overflow("overflow", PLACE, len(LARGE))
    assert s3.buckets["overflow"][PLACE].data == LARGE
    assert s3.bytes_read == 0


def test_an_object_that_comes_without_its_length_is_told_by_the_size_of_the_event(
    bodies: Bodies, s3: FakeS3
) -> None:
    whole = s3.get_object
    s3.get_object = lambda **arguments: {k: v for k, v in whole(**arguments).items() if k != "ContentLength"}
    assert kept(bodies, put(s3, b"small")) == b"small"
    assert kept(bodies, put(s3, LARGE)) == Overflow("overflow", PLACE, len(LARGE))
    assert s3.bytes_read == len(b"small")


def test_an_object_whose_event_names_no_version_is_taken_as_it_is(bodies: Bodies, s3: FakeS3) -> None:
    s3.add("bucket", "small", b"text")
    s3.add("bucket", "large", LARGE)
    assert kept(bodies, S3Object("bucket", "small")) == b"text"
    assert kept(bodies, S3Object("bucket", "large")) == Overflow("overflow", PLACE, len(LARGE))


@pytest.mark.parametrize("body", [b"small", LARGE])
def test_a_redelivery_finds_the_same_place_again(bodies: Bodies, s3: FakeS3, body: bytes) -> None:
    assert kept(bodies, body) == kept(bodies, body)
    assert len(s3.buckets["overflow"]) <= 1


@pytest.mark.parametrize("data", [b"text", LARGE])
def test_an_object_that_was_deleted_or_overwritten_is_gone(bodies: Bodies, s3: FakeS3, data: bytes) -> None:
    body = put(s3, data)
    s3.add("bucket", "key", b"newer")
    assert kept(bodies, body) == Gone("overwritten", len(data))
    del s3.buckets["bucket"]["key"]
    assert kept(bodies, body) == Gone("deleted", len(data))
    del s3.buckets["bucket"]
    assert kept(bodies, body) == Gone("deleted", len(data))


@pytest.mark.parametrize(
    ("operation", "fixture"),
    [("CopyObject", "bodies"), ("HeadObject", "copied_in_parts"), ("CopyObject", "copied_in_parts")],
)
def test_an_object_that_vanishes_before_its_copy_is_gone(
    bodies: Bodies, s3: FakeS3, operation: str, fixture: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(fixture)
    body = put(s3, LARGE)
    content = bodies.read(body)

    def overwrite(called: str) -> None:
        if called == operation:
            s3.add("bucket", "key", b"newer")

    s3.before = overwrite
    assert bodies.keep(content, CORRELATION) == Gone("overwritten", len(LARGE))

    def delete(called: str) -> None:
        if called == operation:
            s3.buckets["bucket"].pop("key", None)

    put(s3, LARGE)
    s3.before = delete
    assert bodies.keep(content, CORRELATION) == Gone("deleted", len(LARGE))


@pytest.mark.usefixtures("copied_in_parts")
def test_an_object_that_changes_between_two_parts_of_its_copy_is_gone(bodies: Bodies, s3: FakeS3) -> None:
    def copy(*arguments: Any, **options: Any) -> None:
        raise S3CopyFailedError("contents have changed")

    s3.copy = copy
    assert kept(bodies, put(s3, LARGE)) == Gone("overwritten", len(LARGE))


@pytest.mark.usefixtures("copied_in_parts")
@pytest.mark.parametrize("operation", ["GetObject", "HeadObject", "CopyObject", "PutObject"])
def test_a_denied_access_is_no_missing_object(bodies: Bodies, s3: FakeS3, operation: str) -> None:
    def deny(called: str) -> None:
        if called == operation:
            raise client_error(operation, "AccessDenied", 403)

    s3.before = deny
    with pytest.raises(ClientError, match="AccessDenied"):
        kept(bodies, LARGE if operation == "PutObject" else put(s3, LARGE))


@pytest.mark.parametrize("large", [True, False])
def test_an_overflow_bucket_that_is_gone_is_an_error_of_ours(bodies: Bodies, s3: FakeS3, large: bool) -> None:
    del s3.buckets["overflow"]
    with pytest.raises(ClientError, match="NoSuchBucket"):
        kept(bodies, put(s3, LARGE) if large else LARGE)


def test_the_inline_limit_leaves_room_for_the_item_whatever_the_setting(s3: FakeS3) -> None:
    bodies = Bodies(s3, "overflow", 10**6)
    assert isinstance(kept(bodies, b"x" * MAX_INLINE), bytes)
    assert isinstance(kept(bodies, b"x" * (MAX_INLINE + 1)), Overflow)


@given(st.text(min_size=1, max_size=2048).filter(lambda run: len(run.encode()) <= 2048))
def test_any_session_id_makes_a_key_that_s3_takes(session_id: str) -> None:
    s3 = FakeS3("overflow")
    kept = Bodies(s3, "overflow", 0).keep(b"body", Correlation(session_id, "event"))
    assert isinstance(kept, Overflow)
    assert len(kept.key.encode()) <= 1024
    assert kept.key.isascii()
    assert kept.key.count("/") == 1
    assert kept.key.startswith("session-")


def test_the_version_that_the_event_names_is_read_though_a_newer_one_is_there(
    bodies: Bodies, s3: FakeS3
) -> None:
    first = s3.add_version("bucket", "key", "v1", b"first")
    s3.add_version("bucket", "key", "v2", b"second")
    assert kept(bodies, S3Object("bucket", "key", first.etag, 5, "v1")) == b"first"
    assert kept(bodies, S3Object("bucket", "key", None, 5, "v3")) == Gone("deleted", 5)


def test_a_large_version_is_copied_though_a_newer_one_is_there(bodies: Bodies, s3: FakeS3) -> None:
    first = s3.add_version("bucket", "key", "v1", LARGE)
    s3.add_version("bucket", "key", "v2", b"second")
    kept(bodies, S3Object("bucket", "key", first.etag, len(LARGE), "v1"))
    assert s3.buckets["overflow"][PLACE].data == LARGE
