"""One version of one object: read, upper case, written. The same event twice gives the same result."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError
from deadline import Deadline
from failures import (
    IncompleteReadError,
    SameBucketError,
    SourceDeletedError,
    SourceOverwrittenError,
)
from notifications import SourceVersion, is_newer
from upload import MAX_PARTS, Condition, upload
from uppercase import MAX_GROWTH, uppercase

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

READ_SIZE = 1024 * 1024
ETAG, SEQUENCER = "source-etag", "source-sequencer"  # user metadata of the destination object


@dataclass(frozen=True)
class Outcome:
    """What became of a record.

    Attributes:
        action: `written`, or `skipped` if the destination already holds this version or a newer one.
        destination: Where the output is, as `s3://bucket/key`.
        size: Bytes written.
    """

    action: Literal["written", "skipped"]
    destination: str
    size: int = 0


class TextProcessor:
    """Writes the upper case of text objects into the destination bucket, under the same key.

    IAM: `s3:GetObject` and `s3:ListBucket` on the source (without the latter a deleted object is "access
    denied"); `s3:PutObject`, `s3:AbortMultipartUpload`, `s3:GetObject`, `s3:ListBucket` on the destination.

    Args:
        s3: The client.
        destination: Name of the destination bucket.
        part_size: Bytes in one part of an upload, and the measure of the memory needed.
    """

    def __init__(self, s3: "S3Client", destination: str, part_size: int) -> None:
        self._s3 = s3
        self._destination = destination
        self._part_size = part_size

    def process(self, version: SourceVersion, deadline: Deadline) -> Outcome:
        """Process one version of an object.

        Args:
            version: What to read.
            deadline: The end of the function's time.

        Raises:
            SameBucketError: The source is the destination bucket.
            SourceDeletedError: The object is gone.
            SourceOverwrittenError: The object is another version by now.
            NotUtf8Error: The object isn't UTF-8; nothing is written.
            OutOfTimeError: The function's end came near; nothing is written.
            ClientError: S3 refused a call.
        """
        if version.bucket == self._destination:
            raise SameBucketError(
                f"{version} is in the destination bucket itself: take away the notification of that bucket"
            )
        deadline.check()
        output = f"s3://{self._destination}/{version.key}"
        condition = self._still_to_write(version)
        if condition is None:
            return Outcome("skipped", output)

        metadata = {ETAG: version.etag}
        if version.sequencer:
            metadata[SEQUENCER] = version.sequencer
        source = self._open(version)
        size = source.get("ContentLength")  # S3 says it; a proxy may pass the body on in chunks instead
        with closing(source["Body"]) as body:  # its own context manager hands out the raw, unchecked stream
            chunks = _complete(_in_time(body.iter_chunks(READ_SIZE), deadline), size)
            written = upload(
                self._s3,
                self._destination,
                version.key,
                uppercase(chunks),
                part_size=max(self._part_size, ceil((size or 0) * MAX_GROWTH / MAX_PARTS)),
                metadata=metadata,
                condition=condition,
            )
        return Outcome("written", output, written)

    def _still_to_write(self, version: SourceVersion) -> Condition | None:
        """Return under which condition to write, or None if the destination is as new as the event.

        The condition keeps an invocation for an older event, running at the same time, from overwriting
        what one for a newer event writes between this look and the end of the upload.
        """
        try:
            there = self._s3.head_object(Bucket=self._destination, Key=version.key)
        except ClientError as error:
            if _status(error) == 404:
                return {"IfNoneMatch": "*"}
            raise
        etag, sequencer = there["Metadata"].get(ETAG), there["Metadata"].get(SEQUENCER)
        if sequencer and version.sequencer:
            done = not is_newer(version.sequencer, sequencer)
        else:
            done = etag == version.etag
        return None if done else {"IfMatch": there["ETag"]}

    def _open(self, version: SourceVersion) -> "GetObjectOutputTypeDef":
        try:
            return self._s3.get_object(Bucket=version.bucket, Key=version.key, IfMatch=f'"{version.etag}"')
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                raise SourceDeletedError(
                    f"{version} (etag {version.etag}) was deleted before it was read"
                ) from error
            if _status(error) == 412:
                raise SourceOverwrittenError(
                    f"{version} (etag {version.etag}) was overwritten before it was read"
                ) from error
            raise


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def _in_time(chunks: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    """Yield the chunks as long as there is time; else fail while the upload can still be aborted."""
    for chunk in chunks:
        deadline.check()
        yield chunk


def _complete(chunks: Iterable[bytes], size: int | None) -> Iterator[bytes]:
    """Yield the chunks and fail if they aren't `size` bytes, where that is known, in the end."""
    read = 0
    for chunk in chunks:
        read += len(chunk)
        yield chunk
    if size is not None and read != size:
        raise IncompleteReadError(f"the connection ended after {read} of {size} bytes")
