"""Reads S3 events into the versions of objects to process."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from failures import MalformedEventError


class SourceVersion(NamedTuple):
    """One version of one object, from an event.

    Attributes:
        bucket: Name of the bucket.
        key: Key of the object, decoded.
        etag: Entity tag, without quotes.
        sequencer: Hexadecimal number that orders the events of one key; None if the event has none.
        version_id: The version that the event names; None in a bucket without versions.
    """

    bucket: str
    key: str
    etag: str
    sequencer: str | None = None
    version_id: str | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def records_of(event: object) -> list[object]:
    """Return the raw records of an S3 event.

    S3 sends an `s3:TestEvent`, without records, when a notification is configured.

    Raises:
        MalformedEventError: The event is not from S3.
    """
    if not isinstance(event, Mapping):
        raise MalformedEventError(f"the event is a {type(event).__name__}, not an object with Records")
    records = event.get("Records")
    if records is None and event.get("Event") == "s3:TestEvent":
        return []
    if not isinstance(records, list):
        raise MalformedEventError("the event has no list Records: is the function invoked by S3?")
    return records


def read_record(record: object) -> SourceVersion:
    """Read one record of an S3 event.

    Raises:
        MalformedEventError: A field is missing or not valid, or the event is not about a created object.
    """
    name = _text(record, "eventName")
    if not name.removeprefix("s3:").startswith("ObjectCreated:"):
        raise MalformedEventError(f"eventName is {name!r}: only ObjectCreated events name a text to process")
    sequencer = _text(record, "s3", "object", "sequencer", required=False) or None
    if sequencer and not re.fullmatch(r"[0-9A-Fa-f]+", sequencer):
        raise MalformedEventError("the record's s3.object.sequencer isn't a hexadecimal number")
    return SourceVersion(
        bucket=_text(record, "s3", "bucket", "name"),
        # S3 encodes keys like form data: a space is "+", a plus is "%2B".
        key=unquote_plus(_text(record, "s3", "object", "key")),
        etag=_text(record, "s3", "object", "eTag").strip('"'),
        sequencer=sequencer,
        version_id=_text(record, "s3", "object", "versionId", required=False) or None,
    )


def is_newer(sequencer: str, other: str) -> bool:
    """Tell whether one sequencer is later than another of the same key.

    Their lengths may differ; as S3 documents, the shorter one is padded with zeros on its right.
    """
    width = max(len(sequencer), len(other))
    return sequencer.upper().ljust(width, "0") > other.upper().ljust(width, "0")


def _text(record: object, *path: str, required: bool = True) -> str:
    value: Any = record
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise MalformedEventError(f"the record has no text in {'.'.join(path)}")
    if any("\ud800" <= character <= "\udfff" for character in value):  # JSON may contain a lone surrogate
        raise MalformedEventError(f"the record's {'.'.join(path)} isn't valid Unicode")
    return value
