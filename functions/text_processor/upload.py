"""Writes an object as a whole or not at all: from memory, streamed or in parts."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple, TypedDict, cast

from streamed import Stopped, Streamed

if TYPE_CHECKING:
    from concurrent.futures import Future

    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

MAX_PARTS = 10_000
AT_ONCE = 3  # parts that are sent at the same time
CONTENT_TYPE = "text/plain; charset=utf-8"


class Condition(TypedDict, total=False):
    """A condition for the write; S3 checks it and writes in one step."""

    IfMatch: str
    IfNoneMatch: str


class _Checksum(TypedDict, total=False):
    ChecksumAlgorithm: Literal["CRC32"]


class Destination(NamedTuple):
    """Where an object is written, and what describes it there.

    IAM: `s3:PutObject`, `s3:AbortMultipartUpload`, and `s3:GetObject` for an `IfMatch` condition.

    Attributes:
        s3: The client.
        bucket: Name of the bucket.
        key: Key of the object.
        metadata: The user metadata of the object.
    """

    s3: "S3Client"
    bucket: str
    key: str
    metadata: dict[str, str]

    def put(self, body: bytearray, condition: Condition) -> int:
        """Write an object with one call.

        Args:
            body: All of it.
            condition: The condition for the write; S3 answers `PreconditionFailed` if it does not hold.

        Returns:
            The number of bytes written.
        """
        self.s3.put_object(
            Bucket=self.bucket,
            Key=self.key,
            Body=_as_it_is(body),
            ContentType=CONTENT_TYPE,
            Metadata=self.metadata,
            ChecksumAlgorithm="CRC32",
            **condition,
        )
        return len(body)

    def stream(self, body: Streamed, condition: Condition) -> int:
        """Write an object with one call, while its source is read. Any error leaves nothing behind.

        Over TLS a checksum follows the body. Without TLS, as on an emulator, none is sent: it would come
        before the body, and botocore would read the source once more for it.

        Args:
            body: The object.
            condition: The condition for the write; S3 answers `PreconditionFailed` if it does not hold.

        Returns:
            The number of bytes written.

        Raises:
            LengthChangedError: The text doesn't keep its length. Open the source again, and write in parts.
        """
        over_tls = self.s3.meta.endpoint_url.startswith("https:")
        checksum: _Checksum = {"ChecksumAlgorithm": "CRC32"} if over_tls else {}
        try:
            self.s3.put_object(
                Bucket=self.bucket,
                Key=self.key,
                Body=cast("bytes", body),  # a file, as botocore sees it
                ContentType=CONTENT_TYPE,
                Metadata=self.metadata,
                **checksum,
                **condition,
            )
        except Stopped as stopped:
            raise stopped.cause from None
        return len(body)

    def put_parts(self, parts: Iterator[bytearray], condition: Condition) -> int:
        """Write an object in parts. Any error, also one from `parts`, aborts the upload.

        Threads send the parts while the next one is made: four are in memory, and what it takes to send them.

        Args:
            parts: At least one part. The minimum of S3 is 5 MiB, except for the last.
            condition: The condition for the write; S3 answers `PreconditionFailed` if it does not hold.

        Returns:
            The number of bytes written.
        """
        # Only these texts need it, and at the top each cold start would pay for it.
        from concurrent.futures import ThreadPoolExecutor

        upload_id = self.s3.create_multipart_upload(
            Bucket=self.bucket,
            Key=self.key,
            ContentType=CONTENT_TYPE,
            Metadata=self.metadata,
            ChecksumAlgorithm="CRC32",
        )["UploadId"]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            try:
                sent: list[Future[CompletedPartTypeDef]] = []
                size = 0
                for number, part in enumerate(parts, start=1):
                    size += len(part)
                    sent.append(threads.submit(self._put_part, upload_id, number, part))
                    if number >= AT_ONCE:
                        sent[-AT_ONCE].result()
                self.s3.complete_multipart_upload(
                    Bucket=self.bucket,
                    Key=self.key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": [part.result() for part in sent]},
                    **condition,
                )
            except BaseException as error:
                threads.shutdown(cancel_futures=True)  # S3 may keep a part that ends after the abort
                self._abort(upload_id, error)
                raise
        return size

    def _put_part(self, upload_id: str, number: int, body: bytearray) -> "CompletedPartTypeDef":
        response = self.s3.upload_part(
            Bucket=self.bucket,
            Key=self.key,
            UploadId=upload_id,
            PartNumber=number,
            Body=_as_it_is(body),
            ChecksumAlgorithm="CRC32",
        )
        part: CompletedPartTypeDef = {"PartNumber": number, "ETag": response["ETag"]}
        # S3 refuses to complete an upload with checksums unless the checksum of each part is repeated.
        if "ChecksumCRC32" in response:
            part["ChecksumCRC32"] = response["ChecksumCRC32"]
        return part

    def _abort(self, upload_id: str, cause: BaseException) -> None:
        try:
            self.s3.abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=upload_id)
        except Exception as error:  # must not hide the first error, which is the cause
            cause.add_note(f"and the multipart upload {upload_id} could not be aborted: {error}")


def _as_it_is(body: bytearray) -> bytes:
    """Type a body as bytes, which botocore's types want, without a copy.

    Botocore makes a file of bytes: it asks S3 first whether it may send it, and then sends small blocks. It
    sends a bytearray at once.
    """
    return cast("bytes", body)


def in_parts(chunks: Iterable[bytes], part_size: int) -> Iterator[bytearray]:
    """Yield the same bytes in parts of at least `part_size`; the last may be shorter, but is not empty.

    A part is longer than `part_size` by less than a chunk.
    """
    part = bytearray()
    for chunk in chunks:
        part += chunk
        if len(part) >= part_size:
            yield part
            part = bytearray()
    if part:
        yield part
