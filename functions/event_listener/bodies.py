"""Where a body is kept: in the item, in the overflow bucket (a claim check), or nowhere any more."""

import base64
import hashlib
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict
from urllib.parse import quote

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from correlation import Correlation, cut
from records import Gone, S3Object
from s3transfer.exceptions import S3CopyFailedError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CopySourceTypeDef

# An item and its index entry together may have 400 KB; the other attributes take up to 94 KB of it.
MAX_INLINE = 300 * 1024
# One CopyObject copies up to 5 GB; above that the library copies in parts, after a look at the size.
COPY = TransferConfig(multipart_threshold=5 * 1000**3, multipart_chunksize=512 * 1024**2, use_threads=False)


@dataclass(frozen=True)
class LargeObject:
    """An object in S3 that is over the inline limit, unread.

    Attributes:
        object: Where it is.
        size: Bytes.
    """

    object: S3Object
    size: int


@dataclass(frozen=True)
class Overflow:
    """A claim check: where the body is.

    Attributes:
        bucket: Name of the overflow bucket.
        key: Key of the object there.
        size: Bytes.
        sha256: Checksum in hexadecimal; None for an object copied by S3, which the listener never saw.
    """

    bucket: str
    key: str
    size: int
    sha256: str | None = None


class _Condition(TypedDict, total=False):
    IfMatch: str


class _CopyArguments(TypedDict, total=False):
    TaggingDirective: Literal["REPLACE"]
    CopySourceIfMatch: str


class Bodies:
    """Reads bodies and keeps the large ones.

    IAM: `s3:GetObject` and `s3:ListBucket` on each bucket that is a source (without the latter a deleted
    object is "access denied"); `s3:PutObject` and `s3:AbortMultipartUpload` on the overflow bucket.

    Args:
        s3: The client.
        overflow_bucket: Name of the bucket.
        inline_limit: Bytes that are kept in the item; at most 300 KiB, so that the item has room for them.
    """

    def __init__(self, s3: "S3Client", overflow_bucket: str, inline_limit: int) -> None:
        self._s3 = s3
        self._overflow_bucket = overflow_bucket
        self._inline_limit = min(inline_limit, MAX_INLINE)

    def read(self, body: bytes | S3Object | Gone) -> bytes | LargeObject | Gone:
        """Return the body, unless it's an object over the inline limit or one that is gone.

        Raises:
            ClientError: S3 refused the call.
        """
        if not isinstance(body, S3Object):
            return body
        condition: _Condition = {"IfMatch": f'"{body.etag}"'} if body.etag else {}
        try:
            response = self._s3.get_object(Bucket=body.bucket, Key=body.key, **condition)
        except ClientError as error:
            return _gone(error, body)
        with closing(
            response["Body"]
        ) as stream:  # its own context manager hands out the raw, unchecked stream
            # S3 says it; a proxy may pass the body on in chunks instead.
            size = response.get("ContentLength", body.size)
            if size is not None and size > self._inline_limit:
                return LargeObject(body, size)
            return stream.read()

    def keep(self, body: bytes | LargeObject | Gone, correlation: Correlation) -> bytes | Overflow | Gone:
        """Return what the item is to hold; a body over the limit is put into the overflow bucket first.

        A redelivery finds the same place again.

        Raises:
            ClientError: S3 refused the call.
        """
        name = hashlib.sha256(correlation.event_id.encode()).hexdigest()
        # No run id, whatever it is, can be a path that S3 refuses, or one out of its own prefix.
        key = f"run-{quote(cut(correlation.session_id, 256), safe='')}/{name}"
        if isinstance(body, LargeObject):
            return self._copy(body, key)
        if isinstance(body, Gone) or len(body) <= self._inline_limit:
            return body
        digest = hashlib.sha256(body)
        self._s3.put_object(
            Bucket=self._overflow_bucket,
            Key=key,
            Body=body,
            ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
        )
        return Overflow(self._overflow_bucket, key, len(body), digest.hexdigest())

    def _copy(self, large: LargeObject, key: str) -> Overflow | Gone:
        source = large.object
        place: CopySourceTypeDef = {"Bucket": source.bucket, "Key": source.key}
        # Tags are left behind: copying them takes permissions of their own.
        arguments: _CopyArguments = {"TaggingDirective": "REPLACE"}
        if source.etag:
            arguments["CopySourceIfMatch"] = f'"{source.etag}"'
        try:
            if large.size < COPY.multipart_threshold:
                self._s3.copy_object(Bucket=self._overflow_bucket, Key=key, CopySource=place, **arguments)
            else:
                self._s3.copy(place, self._overflow_bucket, key, ExtraArgs=dict(arguments), Config=COPY)
        except S3CopyFailedError:
            return Gone("overwritten", large.size)  # between two parts of the copy
        except ClientError as error:
            return _gone(error, source)
        return Overflow(self._overflow_bucket, key, large.size)


def _gone(error: ClientError, body: S3Object) -> Gone:
    """Return what became of an object if that is what S3's refusal says; raise the error otherwise."""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if status == 412:
        return Gone("overwritten", body.size)
    # A copy's "no such bucket" may mean the overflow bucket: that is trouble of our own.
    if status == 404 and (
        error.operation_name != "CopyObject" or error.response["Error"]["Code"] == "NoSuchKey"
    ):
        return Gone("deleted", body.size)
    raise error
