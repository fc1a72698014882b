"""What the listener knows of an event, whatever its source."""

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
        etag: Entity tag of the version meant, without quotes; None if the event doesn't say.
        size: Bytes as the event says; 0 if it doesn't.
    """

    bucket: str
    key: str
    etag: str | None = None
    size: int = 0


@dataclass(frozen=True)
class Gone:
    """A body that can't be had any more.

    Attributes:
        reason: What became of the object.
        size: Bytes as the event said.
    """

    reason: GoneReason
    size: int = 0


@dataclass(frozen=True)
class Record:
    """One event of one source.

    Attributes:
        source_type: `s3`, `sqs`, `sns`, `eventbridge`, `dynamodb`, `kinesis`; `unknown` if it is none.
        match: What tells which of the configured sources it came from: a bucket's name, an ARN, a name.
        identity: What the source itself calls the event; the same at each delivery of it.
        body: The body, or where it is.
        metadata: What the source adds, as plain JSON values.
        event_time: Epoch milliseconds as the source says; None if it doesn't.
        keys: The keys that may be, or start with, a correlation id, by the name of the attribute.
        attributes: Message attributes as text.
        batch_item: What a partial batch response calls it; None where its source knows no such response.
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
