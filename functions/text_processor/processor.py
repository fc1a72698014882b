"""Reads one version of an object, and writes it in upper case. A repeated event gives the same result."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, Literal, TypedDict

from botocore.exceptions import ClientError
from deadline import Deadline
from failures import (
    IncompleteReadError,
    SameBucketError,
    SourceDeletedError,
    SourceOverwrittenError,
)
from notifications import SourceVersion, is_newer
from upload import MAX_PARTS, Condition, Destination, in_parts
from uppercase import MAX_GROWTH, uppercase

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

READ_SIZE = 1024 * 1024
ETAG, SEQUENCER = "source-etag", "source-sequencer"  # user metadata of the destination object


class _Version(TypedDict, total=False):
    VersionId: str


@dataclass(frozen=True)
class Outcome:
    """The outcome for one record.

    Attributes:
        action: `written`, or `skipped` if the destination already has this version or a newer one.
        destination: The output, as `s3://bucket/key`.
        size: Bytes written.
    """

    action: Literal["written", "skipped"]
    destination: str
    size: int = 0


class TextProcessor:
    """Writes text objects in upper case into the destination bucket, under the same key.

    IAM: `s3:GetObject`, `s3:GetObjectVersion` and `s3:ListBucket` on the source (without `s3:ListBucket` a
    deleted object is "access denied"); `s3:PutObject`, `s3:AbortMultipartUpload`, `s3:GetObject`,
    `s3:ListBucket` on the destination.

    Args:
        s3: The client.
        destination: Name of the destination bucket.
        part_size: Bytes in one part of an upload; the memory needed is proportional to it.
    """

    def __init__(self, s3: "S3Client", destination: str, part_size: int) -> None:
        self._s3 = s3
        self._destination = destination
        self._part_size = part_size

    def process(self, version: SourceVersion, deadline: Deadline) -> Outcome:
        """Process one version of an object.

        Args:
            version: The version to read.
            deadline: The deadline of the function.

        Raises:
            SameBucketError: The source is the destination bucket.
            SourceDeletedError: The object was deleted.
            SourceOverwrittenError: The object is now another version.
            NotUtf8Error: The object is not UTF-8; nothing is written.
            OutOfTimeError: Too little time is left; nothing is written.
            ClientError: S3 refused a call.
        """
        if version.bucket == self._destination:
            raise SameBucketError(
                f"{version} is in the destination bucket: remove the notification of that bucket"
            )
        deadline.check()
        output = f"s3://{self._destination}/{version.key}"
        try:
            source = self._open(version)
        except (SourceDeletedError, SourceOverwrittenError):
            if self._still_to_write(version):
                raise
            return Outcome("skipped", output)  # a repeated event: the first one found its version

        size = source.get("ContentLength")  # S3 sets it; a proxy may send the body in chunks instead
        part_size = max(self._part_size, ceil((size or 0) * MAX_GROWTH / MAX_PARTS))
        with closing(source["Body"]) as body:  # its own context manager returns the raw, unchecked stream
            read = _in_time(body.iter_chunks(min(READ_SIZE, part_size)), deadline)
            written = self._write(version, in_parts(uppercase(_complete(read, size)), part_size))
        return Outcome("skipped", output) if written is None else Outcome("written", output, written)

    def _write(self, version: SourceVersion, parts: Iterator[bytearray]) -> int | None:
        """Write the parts of the output. Return its size, or None if the destination is as new as the event.

        Most texts are small, and most events come once: one call then finds that there is no output yet, and
        writes it. All others look first at what is there.
        """
        metadata = {ETAG: version.etag} | ({SEQUENCER: version.sequencer} if version.sequencer else {})
        destination = Destination(self._s3, self._destination, version.key, metadata)
        first, second = next(parts, bytearray()), next(parts, None)
        if second is None:
            try:
                return destination.put(first, {"IfNoneMatch": "*"})
            except ClientError as error:
                if _status(error) != 412:
                    raise

        condition = self._still_to_write(version)
        if condition is None:
            return None
        if second is None:
            return destination.put(first, condition)
        parts = chain((first, second), parts)
        del first, second  # once they are sent, nothing keeps them in memory
        return destination.put_parts(parts, condition)

    def _still_to_write(self, version: SourceVersion) -> Condition | None:
        """Return the condition for the write, or None if the destination is as new as the event.

        A concurrent invocation for a newer event may write before this upload ends. The condition then
        makes this upload fail, so an older version never overwrites a newer one.
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
        named: _Version = {"VersionId": version.version_id} if version.version_id else {}
        try:
            return self._s3.get_object(
                Bucket=version.bucket, Key=version.key, IfMatch=f'"{version.etag}"', **named
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion"):
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
    """Yield the chunks while enough time is left; otherwise fail while an upload can still be aborted."""
    for chunk in chunks:
        deadline.check()
        yield chunk


def _complete(chunks: Iterable[bytes], size: int | None) -> Iterator[bytes]:
    """Yield the chunks; fail at the end if they are not `size` bytes, if the size is known."""
    read = 0
    for chunk in chunks:
        read += len(chunk)
        yield chunk
    if size is not None and read != size:
        raise IncompleteReadError(f"the connection ended after {read} of {size} bytes")
