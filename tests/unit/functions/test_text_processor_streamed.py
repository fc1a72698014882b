"""A large text is sent while it is read: what botocore makes of its body, and what stops it."""

import base64
import io
import re
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import processor as processor_module
import pytest
import source as source_module
import storage
import streamed as streamed_module
from aws_fakes import FakeS3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, HTTPClientError
from deadline import Deadline
from failures import LengthChangedError, NotUtf8Error, SourceDeletedError
from hypothesis import given
from hypothesis import strategies as st
from notifications import SourceVersion
from processor import TextProcessor
from source import READ_SIZE, Source
from streamed import Stopped, Streamed
from upload import Destination

KEY = "key"
PLENTY = Deadline(lambda: 60_000)
HTTP, HTTPS = "http://127.0.0.1:4566", "https://s3.eu-west-1.amazonaws.com"
GROWS, SHRINKS = "ŉ", "ı"  # by one byte


def body_of(data: bytes, s3: FakeS3 | None = None) -> Streamed:
    s3 = s3 or FakeS3("source")
    version = SourceVersion("source", KEY, s3.add("source", KEY, data).etag)
    return Streamed(Source(s3, version, PLENTY), len(data))


def whole(body: Streamed) -> bytes:
    return b"".join(iter(body.read, b""))


def processed(data: bytes, part_size: int = 1000) -> FakeS3:
    s3 = FakeS3("source", "destination")
    version = SourceVersion("source", KEY, s3.add("source", KEY, data).etag)
    TextProcessor(s3, "destination", part_size).process(version, PLENTY)
    return s3


@pytest.mark.parametrize("text", ["a" * 1001, "naïve straße µ ÿ Привет Καλημέρα 日本 🙂 " * 99])
def test_a_large_text_that_keeps_its_length_takes_one_write(text: str) -> None:
    s3 = processed(text.encode())
    assert s3.buckets["destination"][KEY].data == text.upper().encode()
    assert s3.calls == {"GetObject": 1, "HeadObject": 1, "PutObject": 1}


@pytest.mark.parametrize("character", [GROWS, SHRINKS])
@pytest.mark.parametrize("position", [0, 3 * READ_SIZE, -1])
def test_a_text_that_changes_its_length_anywhere_is_written_in_parts(character: str, position: int) -> None:
    letters = ["a"] * 6 * READ_SIZE
    letters[position] = character
    text = "".join(letters)
    s3 = processed(text.encode(), part_size=2 * READ_SIZE)
    assert s3.buckets["destination"][KEY].data == text.upper().encode()
    assert (s3.calls["PutObject"], s3.calls["CompleteMultipartUpload"], s3.uploads) == (1, 1, {})


def test_a_text_that_shrinks_and_grows_as_much_keeps_its_length() -> None:
    assert whole(body_of((GROWS + SHRINKS).encode())) == (GROWS + SHRINKS).upper().encode()


def test_a_text_of_a_gigabyte_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processor_module.MOST_STREAMED < 5_000_000_000, "S3 takes no more at once"
    monkeypatch.setattr(processor_module, "MOST_STREAMED", 2000)
    assert processed(b"a" * 2000).calls["PutObject"]
    assert not processed(b"a" * 2001).calls["PutObject"]


@given(st.text(), st.integers(1, 20))
def test_a_body_is_its_text_in_upper_case_or_is_stopped(text: str, size: int) -> None:
    data, wanted = text.encode(), text.upper().encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamed_module, "READ_SIZE", size)
        if data and len(data) == len(wanted):
            assert whole(body_of(data)) == wanted
        elif data:
            with pytest.raises(Stopped):
                whole(body_of(data))


@given(st.text(min_size=1), st.binary(max_size=3), st.integers(1, 20))
def test_a_body_is_never_whole_before_its_text_was_found_to_be_right(
    text: str, more: bytes, size: int
) -> None:
    data, sent = text.encode() + more, b""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamed_module, "READ_SIZE", size)
        body = body_of(data)
        try:
            while chunk := body.read():
                sent += chunk
        except Stopped:
            assert len(sent) < len(data)
        else:
            assert sent == data.decode().upper().encode()


def test_a_text_that_grew_and_ends_within_a_character_is_not_complete_by_chance() -> None:
    body = body_of(GROWS.encode() + "é".encode()[:1])
    with pytest.raises(Stopped) as stopped:
        body.read()
    assert isinstance(stopped.value.cause, NotUtf8Error)


@pytest.mark.parametrize("character", [GROWS, SHRINKS])
def test_a_text_that_changes_its_length_at_once_is_stopped_before_anything_is_sent(character: str) -> None:
    s3 = FakeS3("source")
    with pytest.raises(Stopped) as stopped:
        body_of(character.encode() * 4 * READ_SIZE, s3).read()
    assert isinstance(stopped.value.cause, LengthChangedError)
    assert s3.bytes_read <= READ_SIZE


def test_little_is_in_memory() -> None:
    s3 = FakeS3("source")
    body = body_of(b"a" * 20 * READ_SIZE, s3)
    sent = 0
    while chunk := body.read():
        sent += len(chunk)
        assert s3.bytes_read - sent <= 2 * READ_SIZE


def test_a_body_returns_to_its_beginning_only() -> None:
    s3 = FakeS3("source")
    body = body_of(b"a" * 3 * READ_SIZE, s3)
    assert (len(body), body.tell(), body.seek(0), s3.calls["GetObject"]) == (3 * READ_SIZE, 0, 0, 1)
    assert (body.read(5), body.tell()) == (b"A" * READ_SIZE, READ_SIZE)
    for place in ((READ_SIZE,), (0, io.SEEK_END)):
        with pytest.raises(io.UnsupportedOperation):
            body.seek(*place)
    assert body.seek(0) == 0
    assert whole(body) == b"A" * 3 * READ_SIZE
    assert s3.calls["GetObject"] == 2


Answer = Callable[[AWSPreparedRequest], None]


@pytest.fixture
def sent_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Answer], Destination]:
    """A destination whose client calls a function instead of sending. It may raise what sending may raise."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))

    def make(endpoint: str, answer: Answer) -> Destination:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

        def instead(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            try:
                answer(request)
            except HTTPClientError:
                raise
            except Exception as error:
                raise HTTPClientError(error=error) from error  # as botocore's own session does
            raw: Any = SimpleNamespace(stream=lambda: iter([b""]))
            return AWSResponse(request.url, 200, {"ETag": '"etag"'}, raw)

        client = storage.s3_client()
        client.meta.events.register("before-send", instead)
        return Destination(client, "destination", KEY, {"a": "b"})

    return make


SentBy = Callable[[str, Answer], Destination]


def wire(request: AWSPreparedRequest) -> Iterator[bytes]:
    """What urllib3 sends of a body."""
    return iter(lambda: request.body.read(16_384), b"")


def test_over_tls_a_checksum_follows_the_body(sent_by: SentBy) -> None:
    text = b"a" * 3 * READ_SIZE + b"end"
    received = []
    destination = sent_by(HTTPS, lambda request: received.append((request.headers, b"".join(wire(request)))))
    s3 = FakeS3("source")
    assert destination.stream(body_of(text, s3), {"IfNoneMatch": "*"}) == len(text)
    ((headers, data),) = received
    assert headers["x-amz-trailer"] == b"x-amz-checksum-crc32"
    assert headers["x-amz-decoded-content-length"] == str(len(text)).encode()
    assert headers["x-amz-content-sha256"] == b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert (headers["Transfer-Encoding"], headers["Content-Encoding"]) == (b"chunked", b"aws-chunked")
    assert (headers["If-None-Match"], headers["x-amz-meta-a"]) == (b"*", b"b")
    assert "Content-Length" not in headers
    chunks, trailer = decoded(data)
    assert b"".join(chunks) == text.upper()
    assert all(len(chunk) >= 8192 for chunk in chunks[:-1]), "S3 takes no smaller ones"
    checksum = base64.b64encode(zlib.crc32(text.upper()).to_bytes(4, "big"))
    assert trailer == b"x-amz-checksum-crc32:%s\r\n\r\n" % checksum
    assert s3.bytes_read == len(text)


def decoded(data: bytes) -> tuple[list[bytes], bytes]:
    """The chunks of an aws-chunked body, and what follows them."""
    chunks, position = [], 0
    while True:
        size = re.compile(rb"([0-9a-f]+)\r\n").match(data, position)
        assert size
        end = size.end() + int(size[1], 16)
        if end == size.end():
            return chunks, data[end:]
        chunks.append(data[size.end() : end])
        assert data[end : end + 2] == b"\r\n"
        position = end + 2


def test_without_tls_the_source_is_read_once(sent_by: SentBy) -> None:
    text = b"a" * 3 * READ_SIZE
    received = []
    destination = sent_by(HTTP, lambda request: received.append((request.headers, b"".join(wire(request)))))
    s3 = FakeS3("source")
    destination.stream(body_of(text, s3), {})
    ((headers, data),) = received
    assert data == text.upper()
    assert headers["Content-Length"] == str(len(text))
    assert headers["x-amz-content-sha256"] == b"UNSIGNED-PAYLOAD"
    assert (s3.bytes_read, s3.calls["GetObject"]) == (len(text), 1)


@pytest.mark.parametrize("endpoint", [HTTP, HTTPS])
def test_after_a_broken_connection_the_whole_text_is_sent_again(sent_by: SentBy, endpoint: str) -> None:
    text = b"a" * 6 * READ_SIZE
    received: list[bytes] = []

    def answer(request: AWSPreparedRequest) -> None:
        if not received:
            received.append(b"".join(islice(wire(request), 9)))
            raise ConnectionClosedError(endpoint_url=request.url)
        received.append(b"".join(wire(request)))

    s3 = FakeS3("source")
    sent_by(endpoint, answer).stream(body_of(text, s3), {})
    again = b"".join(decoded(received[1])[0]) if endpoint == HTTPS else received[1]
    assert again == text.upper()
    assert s3.calls["GetObject"] == 2


@pytest.mark.parametrize("endpoint", [HTTP, HTTPS])
def test_a_text_that_is_not_utf8_is_sent_once_and_never_as_a_whole(sent_by: SentBy, endpoint: str) -> None:
    received: list[bytes] = []

    def answer(request: AWSPreparedRequest) -> None:
        received.extend(wire(request))

    text = b"a" * 3 * READ_SIZE + b"\xff"
    s3 = FakeS3("source")
    with pytest.raises(NotUtf8Error, match=f"offset {3 * READ_SIZE}"):
        sent_by(endpoint, answer).stream(body_of(text, s3), {})
    assert len(b"".join(received)) < len(text)
    assert s3.calls["GetObject"] == 1


def test_a_source_that_was_deleted_before_it_is_read_again_is_named(sent_by: SentBy) -> None:
    s3 = FakeS3("source")

    def answer(request: AWSPreparedRequest) -> None:
        request.body.read()
        s3.buckets["source"].clear()
        raise ConnectionClosedError(endpoint_url=request.url)

    with pytest.raises(SourceDeletedError):
        sent_by(HTTP, answer).stream(body_of(b"a" * 3 * READ_SIZE, s3), {})


def test_the_sizes_hold_together() -> None:
    assert source_module.READ_SIZE >= 8192 + streamed_module.WITHIN_CHARACTER, "S3 takes no smaller chunks"
