"""Writes an object whose size is not known in advance: the whole object or nothing."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

MAX_PARTS = 10_000
CONTENT_TYPE = "text/plain; charset=utf-8"


class Condition(TypedDict, total=False):
    """A condition for the write; S3 checks it and writes in one step."""

    IfMatch: str
    IfNoneMatch: str


def upload(
    s3: "S3Client",
    bucket: str,
    key: str,
    chunks: Iterable[bytes],
    *,
    part_size: int,
    metadata: dict[str, str],
    condition: Condition,
) -> int:
    """Write an object; a reader of the bucket sees the whole object or nothing.

    A body of at most one part is put at once. A longer body is a multipart upload; any error, also one from
    `chunks`, aborts it. At most three parts are in memory.

    IAM: `s3:PutObject`, `s3:AbortMultipartUpload`, and `s3:GetObject` for an `IfMatch` condition.

    Args:
        s3: The client.
        bucket: Name of the bucket.
        key: Key of the object.
        chunks: The bytes of the body, in chunks of any size.
        part_size: Bytes of a part; the minimum of S3 is 5 MiB, except for the last part.
        metadata: The user metadata of the object.
        condition: The condition for the write; S3 answers `PreconditionFailed` if it does not hold.

    Returns:
        The number of bytes written.
    """
    parts = in_parts(chunks, part_size)
    first = next(parts, b"")
    second = next(parts, None)
    if second is None:
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=first,
            ContentType=CONTENT_TYPE,
            Metadata=metadata,
            ChecksumAlgorithm="CRC32",
            **condition,
        )
        return len(first)

    upload_id = s3.create_multipart_upload(
        Bucket=bucket, Key=key, ContentType=CONTENT_TYPE, Metadata=metadata, ChecksumAlgorithm="CRC32"
    )["UploadId"]
    try:
        completed = [_upload_part(s3, bucket, key, upload_id, 1, first)]
        size = len(first)
        del first
        while second is not None:
            completed.append(_upload_part(s3, bucket, key, upload_id, len(completed) + 1, second))
            size += len(second)
            second = next(parts, None)
        s3.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": completed}, **condition
        )
    except BaseException as error:
        try:
            s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        except Exception as abort_error:  # must not hide the first error, which is the cause
            error.add_note(f"and the multipart upload {upload_id} could not be aborted: {abort_error}")
        raise
    return size


def in_parts(chunks: Iterable[bytes], part_size: int) -> Iterator[bytes]:
    """Yield the same bytes in parts of exactly `part_size`; the last may be shorter, but is not empty."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= part_size:
            yield bytes(buffer[:part_size])
            del buffer[:part_size]
    if buffer:
        yield bytes(buffer)


def _upload_part(
    s3: "S3Client", bucket: str, key: str, upload_id: str, number: int, body: bytes
) -> "CompletedPartTypeDef":
    response = s3.upload_part(
        Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32"
    )
    part: CompletedPartTypeDef = {"PartNumber": number, "ETag": response["ETag"]}
    # S3 refuses to complete an upload with checksums unless the checksum of each part is repeated.
    if "ChecksumCRC32" in response:
        part["ChecksumCRC32"] = response["ChecksumCRC32"]
    return part
