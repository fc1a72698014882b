"""Reads one version of an object, and writes it in upper case. A repeated event gives the same result."""

from contextlib import closing
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, Literal, NamedTuple

from botocore.exceptions import ClientError
from deadline import Deadline
from failures import LengthChangedError, SameBucketError, SourceDeletedError, SourceOverwrittenError
from notifications import SourceVersion, is_newer
from source import READ_SIZE, Source
from streamed import Streamed
from upload import MAX_PARTS, Condition, Destination, in_parts
from uppercase import MAX_GROWTH

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOST_STREAMED = 1_000_000_000  # bytes; if a connection breaks, all of them are sent again
ETAG, SEQUENCER = "source-etag", "source-sequencer"  # user metadata of the destination object


class Outcome(NamedTuple):
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
        part_size: Bytes of the largest text that is read as a whole, and of one part of an upload; the memory
            needed is proportional to it.
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
            source = Source(self._s3, version, deadline)
        except (SourceDeletedError, SourceOverwrittenError):
            if self._still_to_write(version):
                raise
            return Outcome("skipped", output)  # a repeated event: the first one found its version
        with closing(source):
            written = self._write(version, source)
        return Outcome("skipped", output) if written is None else Outcome("written", output, written)

    def _write(self, version: SourceVersion, source: Source) -> int | None:
        """Write the output. Return its size, or None if the destination is as new as the event.

        Most texts are small, and most events come once: one call then finds that there is no output yet, and
        writes it. All others look first at what is there. A large text is sent while it is read, if it keeps
        its length: that takes one call, but a text in parts takes one for each part.
        """
        metadata = {ETAG: version.etag} | ({SEQUENCER: version.sequencer} if version.sequencer else {})
        destination = Destination(self._s3, self._destination, version.key, metadata)
        size = source.size or 0
        if self._part_size < size <= MOST_STREAMED:
            condition = self._still_to_write(version)
            if condition is None:
                return None
            try:
                return destination.stream(Streamed(source, size), condition)
            except LengthChangedError:
                source.restart()

        part_size = max(self._part_size, ceil(size * MAX_GROWTH / MAX_PARTS))
        parts = in_parts(source.upper(min(READ_SIZE, part_size)), part_size)
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


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
