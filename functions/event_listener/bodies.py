"""Decides where a body is kept: in the item, or in the overflow bucket (a claim check). It may be gone."""

import base64
import hashlib
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict
from urllib.parse import quote

from botocore.exceptions import ClientError
from correlation import Correlation, cut
from records import Gone, S3Object

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CopySourceTypeDef

# An item and its index entry together may have 400 KB. The other attributes take up to 94 KB of that.
MAX_INLINE = 300 * 1024
# One CopyObject copies up to 5 GB. The library copies larger objects in parts.
MOST_AT_ONCE, PART = 5 * 1000**3, 512 * 1024**2


@dataclass(frozen=True)
class LargeObject:
    """An object in S3 that is over the inline limit. It was not read.

    Attributes:
        object: Its place.
        size: Bytes.
    """

    object: S3Object
    size: int


@dataclass(frozen=True)
class Overflow:
    """A claim check: says where the body is.

    Attributes:
        bucket: Name of the overflow bucket.
        key: Key of the object there.
        size: Bytes.
        sha256: Checksum in hexadecimal; None if S3 copied the object, because the listener didn't read it.
    """

    bucket: str
    key: str
    size: int
    sha256: str | None = None


class _Condition(TypedDict, total=False):
    IfMatch: str
    VersionId: str


class _CopyArguments(TypedDict, total=False):
    TaggingDirective: Literal["REPLACE"]
    CopySourceIfMatch: str


class Bodies:
    """Reads bodies, and puts large ones into the overflow bucket.

    IAM: `s3:GetObject`, `s3:GetObjectVersion` and `s3:ListBucket` on each bucket that is a source or that
    messages name (without `s3:ListBucket`, S3 says "access denied" for a deleted object); `s3:PutObject` and
    `s3:AbortMultipartUpload` on the overflow bucket.

    Args:
        s3: The client.
        overflow_bucket: Name of the bucket.
        inline_limit: The most bytes that are kept in the item; 300 KiB at most, because of DynamoDB's limit.
    """

    def __init__(self, s3: "S3Client", overflow_bucket: str, inline_limit: int) -> None:
        self._s3 = s3
        self._overflow_bucket = overflow_bucket
        self._inline_limit = min(inline_limit, MAX_INLINE)

    def read(self, body: bytes | S3Object | Gone) -> bytes | LargeObject | Gone:
        """Return the body. If it is an object over the inline limit, or one that is gone, say so instead.

        Raises:
            ClientError: S3 refused the call.
        """
        if not isinstance(body, S3Object):
            return body
        condition: _Condition = {"IfMatch": f'"{body.etag}"'} if body.etag else {}
        if body.version_id:
            condition["VersionId"] = body.version_id
        try:
            response = self._s3.get_object(Bucket=body.bucket, Key=body.key, **condition)
        except ClientError as error:
            return _gone(error, body)
        with closing(
            response["Body"]
        ) as stream:  # its own context manager gives the raw stream, without checks
            # S3 sends the length. A proxy may leave it out and send chunks.
            size = response.get("ContentLength", body.size)
            if size is not None and size > self._inline_limit:
                return LargeObject(body, size)
            return stream.read()

    def keep(self, body: bytes | LargeObject | Gone, correlation: Correlation) -> bytes | Overflow | Gone:
        """Return the content for the item. A body over the limit is first put into the overflow bucket.

        A redelivery is put under the same key again.

        Raises:
            ClientError: S3 refused the call.
        """
        name = hashlib.sha256(correlation.event_id.encode()).hexdigest()
        # Quoting keeps any session id within its own prefix, and valid for S3.
        key = f"session-{quote(cut(correlation.session_id, 256), safe='')}/{name}"
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
        if source.version_id:
            place["VersionId"] = source.version_id
        # Don't copy the tags: that needs further permissions.
        arguments: _CopyArguments = {"TaggingDirective": "REPLACE"}
        if source.etag:
            arguments["CopySourceIfMatch"] = f'"{source.etag}"'
        try:
            if large.size >= MOST_AT_ONCE:
                if not _copied_in_parts(self._s3, place, self._overflow_bucket, key, dict(arguments)):
                    return Gone("overwritten", large.size)  # between two parts of the copy
            else:
                self._s3.copy_object(Bucket=self._overflow_bucket, Key=key, CopySource=place, **arguments)
        except ClientError as error:
            return _gone(error, source)
        return Overflow(self._overflow_bucket, key, large.size)


def _copied_in_parts(
    s3: "S3Client", source: "CopySourceTypeDef", bucket: str, key: str, arguments: dict[str, Any]
) -> bool:
    """Copy a very large object; return whether it stayed the same meanwhile.

    The imports take longer than most invocations, and hardly any needs them.
    """
    from boto3.s3.inject import copy
    from boto3.s3.transfer import TransferConfig
    from s3transfer.exceptions import S3CopyFailedError

    config = TransferConfig(multipart_threshold=MOST_AT_ONCE, multipart_chunksize=PART, use_threads=False)
    own = getattr(s3, "copy", None)  # a client of boto3 has it
    try:
        if own:
            own(source, bucket, key, ExtraArgs=arguments, Config=config)
        else:
            copy(s3, dict(source), bucket, key, ExtraArgs=arguments, Config=config)
    except S3CopyFailedError:
        return False
    return True


def _gone(error: ClientError, body: S3Object) -> Gone:
    """Return why an object is gone, if S3's error says so; raise the error otherwise."""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if status == 412:
        return Gone("overwritten", body.size)
    # "No such bucket" of a copy may mean the overflow bucket. Then the object isn't gone.
    if status == 404 and (
        error.operation_name != "CopyObject"
        or error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion")
    ):
        return Gone("deleted", body.size)
    raise error
