"""How the text processor sends what it writes."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import storage
from aws_fakes import FakeS3, client_error
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from upload import AT_ONCE, Destination, in_parts

PLENTY = 60  # seconds, for a machine that is busy


def destination(s3: Any) -> Destination:
    return Destination(s3, "destination", "key", {})


def test_parts_are_sent_at_the_same_time_and_come_in_order() -> None:
    all_sending = threading.Barrier(AT_ONCE)

    def wait(operation: str) -> None:
        if operation == "UploadPart":
            all_sending.wait(PLENTY)

    s3 = FakeS3("destination", before=wait)
    chunks = [f"{number:06}".encode() for number in range(4 * AT_ONCE)]
    assert destination(s3).put_parts(in_parts(chunks, 1), {}) == len(b"".join(chunks))
    assert s3.buckets["destination"]["key"].data == b"".join(chunks)


def test_no_more_parts_are_made_than_can_be_sent() -> None:
    made, uploaded, furthest = 0, 0, 0

    def chunks() -> Iterator[bytes]:
        nonlocal made, furthest
        for _ in range(20):
            furthest = max(furthest, made - uploaded)
            yield b"part"
            made += 1

    def count(operation: str) -> None:
        nonlocal uploaded
        uploaded += operation == "UploadPart"

    destination(FakeS3("destination", before=count)).put_parts(in_parts(chunks(), 1), {})
    assert furthest <= AT_ONCE


def test_a_failed_upload_is_aborted_after_all_parts_and_leaves_no_thread() -> None:
    failed = threading.Event()
    calls = []

    def fail(operation: str) -> None:
        if operation == "UploadPart" and not failed.is_set():
            failed.set()
            raise client_error(operation, "SlowDown", 503)
        calls.append(operation)

    s3 = FakeS3("destination", before=fail)
    before = set(threading.enumerate())
    with pytest.raises(ClientError, match="SlowDown"):
        destination(s3).put_parts(in_parts([b"part"] * 20, 1), {})
    assert calls[-1] == "AbortMultipartUpload"
    assert len(calls) < 20
    assert not s3.uploads
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4566", "https://s3.eu-west-1.amazonaws.com"])
def test_bodies_are_sent_with_a_checksum_and_without_asking_first(
    monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        sent.append(request)
        body = b"<R><UploadId>upload-1</UploadId></R>"
        raw: Any = type("Raw", (), {"stream": lambda _: iter([body])})()
        return AWSResponse(request.url, 200, {"ETag": '"etag"'}, raw)

    client = storage.s3_client()
    client.meta.events.register("before-send", answer)
    destination(client).put(bytearray(b"A TEXT"), {"IfNoneMatch": "*"})
    destination(client).put_parts(in_parts([b"A ", b"TEXT"], 2), {})
    bodies = [one.headers for one in sent if one.method == "PUT"]
    assert len(bodies) == 3
    for headers in bodies:
        assert "Expect" not in headers
        assert "x-amz-checksum-crc32" in headers or headers["x-amz-trailer"] == b"x-amz-checksum-crc32"
