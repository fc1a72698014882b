import processor as processor_module
import pytest
from aws_fakes import FakeS3, Object, client_error
from botocore.exceptions import ClientError
from deadline import Deadline
from failures import (
    IncompleteReadError,
    NotUtf8Error,
    OutOfTimeError,
    SameBucketError,
    SourceDeletedError,
    SourceOverwrittenError,
)
from hypothesis import given
from hypothesis import strategies as st
from notifications import SourceVersion
from processor import TextProcessor
from source import READ_SIZE

KEY = "run/case/a b+ü.txt"
LONG = "straße ŉ ﬁ ΐ 日本 🙂 " * 20


PLENTY = Deadline(lambda: 60_000)


def processed(s3: FakeS3, version: SourceVersion, part_size: int = 1000, deadline: Deadline = PLENTY) -> str:
    return TextProcessor(s3, "destination", part_size).process(version, deadline).action


def put(s3: FakeS3, data: bytes, sequencer: str | None = "01") -> SourceVersion:
    return SourceVersion("source", KEY, s3.add("source", KEY, data).etag, sequencer)


def output(s3: FakeS3) -> Object:
    return s3.buckets["destination"][KEY]


def hide_lengths(s3: FakeS3) -> None:
    """Let no answer tell the length of its object."""
    whole = s3.get_object
    s3.get_object = lambda **arguments: {k: v for k, v in whole(**arguments).items() if k != "ContentLength"}


def nothing_is_written(s3: FakeS3) -> bool:
    return not s3.buckets.get("destination") and not s3.uploads


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3("source", "destination")


def test_a_text_is_written_in_upper_case_under_the_same_key(s3: FakeS3) -> None:
    version = put(s3, "straße".encode(), "0055AE")
    outcome = TextProcessor(s3, "destination", 1000).process(version, PLENTY)
    assert (outcome.action, outcome.size) == ("written", 7)
    assert outcome.destination == f"s3://destination/{KEY}"
    assert output(s3) == Object(
        b"STRASSE",
        {"source-etag": version.etag, "source-sequencer": "0055AE"},
        "text/plain; charset=utf-8",
    )


def test_an_empty_file_becomes_an_empty_file(s3: FakeS3) -> None:
    assert processed(s3, put(s3, b"")) == "written"
    assert output(s3).data == b""


@pytest.mark.parametrize("part_size", [1, 10, 100])
def test_a_text_larger_than_a_part_is_uploaded_in_parts(s3: FakeS3, part_size: int) -> None:
    assert processed(s3, put(s3, LONG.encode()), part_size) == "written"
    assert output(s3).data == LONG.upper().encode()
    assert output(s3).content_type == "text/plain; charset=utf-8"
    assert output(s3).metadata["source-sequencer"] == "01"
    assert s3.calls["UploadPart"] > 1
    assert not s3.uploads


def test_a_text_of_exactly_one_part_is_put_at_once(s3: FakeS3) -> None:
    assert processed(s3, put(s3, b"abcd"), part_size=4) == "written"
    assert s3.calls["PutObject"] == 1
    assert not s3.calls["CreateMultipartUpload"]


@given(st.text(), st.integers(1, 50))
def test_any_text_with_any_part_size_comes_out_in_upper_case(text: str, part_size: int) -> None:
    s3 = FakeS3("source", "destination")
    assert processed(s3, put(s3, text.encode()), part_size) == "written"
    assert output(s3).data == text.upper().encode()
    assert not s3.uploads


@given(st.binary(), st.integers(1, 50))
def test_any_bytes_that_are_no_text_leave_nothing_behind(data: bytes, part_size: int) -> None:
    s3 = FakeS3("source", "destination")
    version = put(s3, data + b"\xff")
    with pytest.raises(NotUtf8Error):
        processed(s3, version, part_size)
    assert nothing_is_written(s3)


def test_an_object_that_is_written_in_parts_is_never_in_memory_as_a_whole(s3: FakeS3) -> None:
    size = 4 * READ_SIZE
    read_at_first_part = []
    s3.before = lambda operation: operation == "UploadPart" and read_at_first_part.append(s3.bytes_read)
    version = put(s3, b"a" * size)
    hide_lengths(s3)
    processed(s3, version, part_size=1000)
    assert read_at_first_part[0] <= size / 2


def test_parts_grow_with_the_object_so_that_there_are_never_too_many(
    s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor_module, "MAX_PARTS", 10)
    text = "ΐ" * 50  # the character that grows the most
    assert processed(s3, put(s3, text.encode()), part_size=1) == "written"
    assert output(s3).data == text.upper().encode()
    assert 1 < s3.calls["UploadPart"] <= 10


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        ("PutObject", "short"),
        ("CreateMultipartUpload", LONG),
        ("UploadPart", LONG),
        ("CompleteMultipartUpload", LONG),
    ],
)
def test_a_failed_write_leaves_no_object_and_no_upload(s3: FakeS3, operation: str, text: str) -> None:
    def fail(called: str) -> None:
        if called == operation:
            raise client_error(operation, "SlowDown", 503)

    s3.before = fail
    with pytest.raises(ClientError, match="SlowDown"):
        processed(s3, put(s3, text.encode()), part_size=100)
    assert nothing_is_written(s3)


def test_the_cause_is_raised_even_if_the_upload_cant_be_aborted(s3: FakeS3) -> None:
    def fail(called: str) -> None:
        if called in ("CompleteMultipartUpload", "AbortMultipartUpload"):
            raise client_error(called, "InternalError", 500)

    s3.before = fail
    with pytest.raises(ClientError, match="CompleteMultipartUpload") as raised:
        processed(s3, put(s3, LONG.encode()), part_size=100)
    assert "upload-1 could not be aborted" in raised.value.__notes__[0]


def test_a_connection_that_ends_early_leaves_nothing_behind(s3: FakeS3) -> None:
    version = put(s3, LONG.encode())
    whole = s3.get_object
    s3.get_object = lambda **arguments: whole(**arguments) | {"ContentLength": 10_000}
    with pytest.raises(IncompleteReadError, match=f"after {len(LONG.encode())} of 10000 bytes"):
        processed(s3, version, part_size=100)
    assert nothing_is_written(s3)


def test_an_object_that_comes_without_its_length_is_processed(s3: FakeS3) -> None:
    hide_lengths(s3)
    processed(s3, put(s3, LONG.encode()), part_size=100)
    assert output(s3).data == LONG.upper().encode()


@pytest.mark.parametrize("streamed", [True, False])
def test_when_the_functions_end_comes_near_nothing_is_written(s3: FakeS3, streamed: bool) -> None:
    version = put(s3, b"a" * 3 * READ_SIZE)
    if not streamed:
        hide_lengths(s3)
    left = iter([30_000, 29_000, 28_000, 6_000, 5_999])
    with pytest.raises(OutOfTimeError, match="5999 ms of 30000"):
        processed(s3, version, part_size=1000, deadline=Deadline(lambda: next(left)))
    assert s3.calls["PutObject"] == streamed
    assert s3.calls["AbortMultipartUpload"] == (not streamed)
    assert nothing_is_written(s3)


def test_nothing_is_begun_at_the_functions_end(s3: FakeS3) -> None:
    left = iter([900_000, 9_999])
    with pytest.raises(OutOfTimeError, match="9999 ms of 900000"):
        processed(s3, put(s3, b"text"), deadline=Deadline(lambda: next(left)))
    assert not s3.calls


def test_a_small_text_takes_one_read_and_one_write(s3: FakeS3) -> None:
    processed(s3, put(s3, b"text"))
    assert s3.calls == {"GetObject": 1, "PutObject": 1}


@pytest.mark.parametrize("part_size", [100, 10_000])
def test_the_same_event_again_changes_nothing(s3: FakeS3, part_size: int) -> None:
    version = put(s3, LONG.encode())
    assert processed(s3, version, part_size) == "written"
    first, uploads = output(s3), s3.calls["CreateMultipartUpload"]
    assert processed(s3, version, part_size) == "skipped"
    assert output(s3) is first
    assert s3.calls["CreateMultipartUpload"] == uploads


@pytest.mark.parametrize("then", ["deleted", "overwritten"])
def test_the_same_event_again_is_skipped_though_its_object_is_gone(s3: FakeS3, then: str) -> None:
    version = put(s3, b"text")
    processed(s3, version)
    if then == "deleted":
        del s3.buckets["source"][KEY]
    else:
        put(s3, b"another", "02")
    assert processed(s3, version) == "skipped"
    assert output(s3).data == b"TEXT"


def test_the_same_event_again_without_a_sequencer_changes_nothing(s3: FakeS3) -> None:
    version = put(s3, b"text", sequencer=None)
    assert [processed(s3, version), processed(s3, version)] == ["written", "skipped"]
    assert output(s3).metadata == {"source-etag": version.etag}


def test_a_newer_version_replaces_the_output(s3: FakeS3) -> None:
    assert processed(s3, put(s3, b"first", "01")) == "written"
    assert processed(s3, put(s3, b"second", "02")) == "written"
    assert output(s3).data == b"SECOND"


def test_the_same_text_put_again_is_a_new_event_and_written_again(s3: FakeS3) -> None:
    assert processed(s3, put(s3, b"text", "01")) == "written"
    assert processed(s3, put(s3, b"text", "02")) == "written"
    assert output(s3).metadata["source-sequencer"] == "02"


def test_an_older_event_that_comes_late_is_skipped(s3: FakeS3) -> None:
    older = put(s3, b"older", "01")
    newer = put(s3, b"newer", "02")
    assert [processed(s3, newer), processed(s3, older)] == ["written", "skipped"]
    assert output(s3).data == b"NEWER"


def test_what_somebody_else_wrote_to_the_destination_is_replaced(s3: FakeS3) -> None:
    s3.add("destination", KEY, b"stranger")
    assert processed(s3, put(s3, b"text")) == "written"
    assert output(s3).data == b"TEXT"


NEWER = Object(b"NEWER", {"source-sequencer": "02"})


@pytest.mark.parametrize("there", [True, False])
def test_a_small_text_that_is_overtaken_while_it_is_processed_is_skipped(s3: FakeS3, there: bool) -> None:
    if there:
        s3.add("destination", KEY, b"before")
    s3.before = lambda called: called == "PutObject" and s3.buckets["destination"].update({KEY: NEWER})
    assert processed(s3, put(s3, b"text")) == "skipped"
    assert output(s3) is NEWER


def test_a_small_text_that_is_overtaken_after_a_look_at_its_output_overwrites_nothing(s3: FakeS3) -> None:
    s3.add("destination", KEY, b"before")

    def overtake(called: str) -> None:
        if called == "PutObject" and s3.calls["HeadObject"]:
            s3.buckets["destination"][KEY] = NEWER

    s3.before = overtake
    with pytest.raises(ClientError, match="PreconditionFailed"):
        processed(s3, put(s3, b"text"))
    assert output(s3) is NEWER


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(("text", "last"), [(LONG, "CompleteMultipartUpload"), ("a" * 1000, "PutObject")])
def test_a_large_text_that_is_overtaken_while_it_is_processed_overwrites_nothing(
    s3: FakeS3, there: bool, text: str, last: str
) -> None:
    if there:
        s3.add("destination", KEY, b"before")
    version = put(s3, text.encode())
    s3.before = lambda called: called == last and s3.buckets["destination"].update({KEY: NEWER})
    with pytest.raises(ClientError, match=f"PreconditionFailed.*{last}"):
        processed(s3, version, part_size=100)
    assert output(s3) is NEWER
    assert not s3.uploads


def test_an_object_that_was_deleted_meanwhile_is_named(s3: FakeS3) -> None:
    version = put(s3, b"text")
    del s3.buckets["source"][KEY]
    with pytest.raises(SourceDeletedError, match=f"s3://source/{KEY.replace('+', '.')}.*deleted"):
        processed(s3, version)
    assert nothing_is_written(s3)


def test_an_object_that_was_overwritten_meanwhile_is_named(s3: FakeS3) -> None:
    version = put(s3, b"older", "01")
    put(s3, b"newer", "02")
    with pytest.raises(SourceOverwrittenError, match=version.etag):
        processed(s3, version)
    assert nothing_is_written(s3)


def test_an_event_of_the_destination_bucket_itself_is_refused(s3: FakeS3) -> None:
    version = SourceVersion("destination", KEY, s3.add("destination", KEY, b"text").etag)
    with pytest.raises(SameBucketError, match="is in the destination bucket"):
        processed(s3, version)
    assert output(s3).data == b"text"
    assert not s3.calls


@pytest.mark.parametrize("operation", ["HeadObject", "GetObject"])
def test_a_denied_access_is_no_missing_object(s3: FakeS3, operation: str) -> None:
    def deny(called: str) -> None:
        if called == operation:
            raise client_error(operation, "AccessDenied", 403)

    s3.before = deny
    with pytest.raises(ClientError, match=rf"AccessDenied.*{operation}"):
        processed(s3, put(s3, LONG.encode()), part_size=100)
    assert nothing_is_written(s3)


def test_a_destination_that_is_gone_is_named_by_the_write() -> None:
    s3 = FakeS3("source")
    with pytest.raises(ClientError, match=r"NoSuchBucket.*PutObject"):
        processed(s3, put(s3, b"text"))


def test_the_version_that_the_event_names_is_processed_though_a_newer_one_is_there(s3: FakeS3) -> None:
    first = s3.add_version("source", KEY, "v1", b"first")
    s3.add_version("source", KEY, "v2", b"second")
    assert processed(s3, SourceVersion("source", KEY, first.etag, "01", "v1")) == "written"
    assert output(s3).data == b"FIRST"


def test_a_version_that_was_deleted_is_said_to_be_deleted(s3: FakeS3) -> None:
    s3.add_version("source", KEY, "v2", b"second")
    with pytest.raises(SourceDeletedError):
        processed(s3, SourceVersion("source", KEY, "etag", "01", "v1"))
