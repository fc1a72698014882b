"""A record: the listener's view of one event of any source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

GoneReason = Literal["deleted", "overwritten"]


@dataclass(frozen=True)
class S3Object:
    """A body that is still in S3.

    Attributes:
        bucket: Name of the bucket.
        key: Key of the object, decoded.
        etag: Entity tag of the event's version, without quotes; None if the event has none.
        size: Bytes as the event says; 0 if it doesn't say.
        version_id: The version that the event names; None in a bucket without versions.
    """

    bucket: str
    key: str
    etag: str | None = None
    size: int = 0
    version_id: str | None = None


@dataclass(frozen=True)
class Gone:
    """A body that no longer exists.

    Attributes:
        reason: Why the object is gone.
        size: Bytes as the event said.
    """

    reason: GoneReason
    size: int = 0


@dataclass(frozen=True)
class Unread:
    """An object that the listener may not read.

    Attributes:
        reason: What to do about it.
    """

    reason: str


@dataclass(frozen=True)
class Record:
    """One event of one source.

    Attributes:
        source_type: `s3`, `sqs`, `sns`, `eventbridge`, `dynamodb`, `kinesis`, or `unknown`.
        match: Says which of the configured sources it came from: a bucket's name, an ARN, or a source's name.
        identity: The source's own id of the event. Each delivery has the same one.
        body: The body, or its place.
        metadata: Further fields of the source, as plain JSON values.
        event_time: Epoch milliseconds as the source says; None if it doesn't say.
        keys: Keys that may hold a correlation id, by the name of the attribute.
        attributes: Message attributes as text.
        batch_item: Its name in a partial batch response; None if its source has no such response.
        sequence: Name of the ordered sequence that it belongs to: a shard, or the message group of a FIFO
            queue; None if its source keeps no order.
        wrapped: The wrappings that were taken off its body, the outermost first: `sns`, `gzip`…
        outer: The bodies of these wrappings, the outermost first.
    """

    source_type: str
    match: str
    identity: str
    body: bytes | S3Object | Gone
    metadata: dict[str, Any]
    event_time: int | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    batch_item: str | None = None
    sequence: str | None = None
    wrapped: tuple[str, ...] = ()
    outer: tuple[bytes, ...] = ()
