"""Reads one version of an object in upper case, from its beginning as often as it is needed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import ClientError
from deadline import Deadline
from failures import IncompleteReadError, SourceDeletedError, SourceOverwrittenError
from notifications import SourceVersion
from uppercase import uppercase

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

READ_SIZE = 128 * 1024  # botocore copies a chunk many times to send it over TLS: large ones cost more


class _Version(TypedDict, total=False):
    VersionId: str


class Source:
    """One version of an object, open at its beginning.

    IAM: `s3:GetObject`, `s3:GetObjectVersion`, and `s3:ListBucket` to tell a deleted object.

    Args:
        s3: The client.
        version: The version to read.
        deadline: The deadline of the function.

    Attributes:
        size: The bytes of the object; None if the answer doesn't tell them: S3 does, a proxy may not.
        read: The bytes that were read since the beginning.

    Raises:
        SourceDeletedError: The object was deleted.
        SourceOverwrittenError: The object is now another version.
        ClientError: S3 refused the call.
    """

    def __init__(self, s3: "S3Client", version: SourceVersion, deadline: Deadline) -> None:
        self._s3 = s3
        self._version = version
        self._deadline = deadline
        self._open()

    def restart(self) -> None:
        """Return to the beginning; it raises the same errors as making a source."""
        self.close()
        self._open()

    def upper(self, chunk_size: int) -> Iterator[bytes]:
        """Yield the text in upper case.

        Args:
            chunk_size: Bytes to read at once.

        Raises:
            NotUtf8Error: The object is not UTF-8.
            IncompleteReadError: The connection ended early.
            OutOfTimeError: Too little time is left.
        """
        return uppercase(self._chunks(chunk_size))

    def close(self) -> None:
        """Close the connection if the object wasn't read to its end."""
        self._body.close()

    def _open(self) -> None:
        version = self._version
        named: _Version = {"VersionId": version.version_id} if version.version_id else {}
        try:
            answer = self._s3.get_object(
                Bucket=version.bucket, Key=version.key, IfMatch=f'"{version.etag}"', **named
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion"):
                raise SourceDeletedError(
                    f"{version} (etag {version.etag}) was deleted before it was read"
                ) from error
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 412:
                raise SourceOverwrittenError(
                    f"{version} (etag {version.etag}) was overwritten before it was read"
                ) from error
            raise
        self._body: StreamingBody = answer["Body"]
        self.size: int | None = answer.get("ContentLength")
        self.read = 0

    def _chunks(self, size: int) -> Iterator[bytes]:
        for chunk in self._body.iter_chunks(size):
            self._deadline.check()
            self.read += len(chunk)
            yield chunk
        if self.size is not None and self.read != self.size:
            raise IncompleteReadError(f"the connection ended after {self.read} of {self.size} bytes")
