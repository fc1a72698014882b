"""Finds the body of a message where others have wrapped it: in envelopes of AWS services, gzip and base64.

A body is opened only if it has exactly the shape that a service gives it: a system's own body that only
looks similar stays as it is. `open_all` never raises over a body, whatever it holds.
"""

import base64
import json
import re
import zlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters import from_eventbridge, from_s3, from_sns
from aggregation import UserRecord, user_records
from fields import MalformedRecordError, get, optional_text, text, whole_number
from records import Gone, Record, S3Object, Unread

MAX_DEPTH = 8  # envelopes within envelopes
MAX_OPENED = 8 * 1024 * 1024  # bytes; more may be a bomb, or fill the function's memory

Fetch = Callable[[S3Object], object]

# Each envelope holds one of these. Other bodies needn't be decoded.
_MARKS = (b'"TopicArn"', b'"detail-type"', b'"Records"', b'"logEvents"', b"S3Pointer", b'"s3:TestEvent"')
_GZIP = b"\x1f\x8b\x08"
_BASE64 = re.compile(
    rb"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|[A-Za-z0-9+/]{2,3}={1,2}"
)
_SNS = {"Type", "MessageId", "TopicArn", "Message", "Timestamp"}
_SNS_TOO = {
    "Subject", "MessageAttributes", "SequenceNumber", "SignatureVersion", "Signature",
    "SigningCertURL", "SigningCertUrl", "UnsubscribeURL", "UnsubscribeUrl", "SubscribeURL", "Token",
}  # fmt: skip
_EVENT = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
_LOGS = {"messageType", "owner", "logGroup", "logStream", "subscriptionFilters", "logEvents"}
_POINTERS = {
    "software.amazon.payloadoffloading.PayloadS3Pointer",
    "com.amazon.sqs.javamessaging.MessageS3Pointer",
}
# One of these message attributes is added by each client. By default, that for Java adds the older one to the
# newer pointer.
_SIZES = {"ExtendedPayloadSize", "SQSLargePayloadSize"}


def open_all(record: Record, fetch: Fetch, decode: Sequence[str] = ()) -> list[Record]:
    """Return the records within a record: itself if nothing wraps it, none if it carries no event.

    Args:
        record: As its source delivers it.
        fetch: Reads the object that an extended client has moved a message to.
        decode: Steps that the source's settings name, `base64` or `gzip`; they come first.

    Raises:
        ClientError: S3 refused the call of `fetch`.
    """
    for step in decode:
        record = _decoded(record, step)
    opened, found = deque([record]), []
    while opened:
        one = opened.popleft()
        inner = _open(one, fetch) if len(one.wrapped) < MAX_DEPTH + len(decode) else None
        if inner is None:
            found.append(one)
        else:
            opened.extendleft(reversed(inner))
    if len(found) > 1:
        found = [replace(one, identity=f"{one.identity}/{number}") for number, one in enumerate(found)]
    return found


def without_object(record: Record, unread: Unread) -> Record:
    """The record of an event whose object may not be read: its body is the event itself."""
    return replace(
        record,
        body=record.outer[-1],
        metadata=record.metadata | {"body_error": unread.reason},
    )


def texts_within(body: bytes) -> list[bytes]:
    """A body, then what gzip or base64 wraps in it, to find an id there."""
    found = [body]
    while len(found) <= MAX_DEPTH and (inner := _unpacked(found[-1])):
        found.append(inner[1])
    return found


def _open(record: Record, fetch: Fetch) -> list[Record] | None:
    """Take off one wrapping; None if there is none."""
    body = record.body
    if not isinstance(body, bytes) or "body_error" in record.metadata:
        return None
    if record.source_type in ("dynamodb", "unknown"):
        return None
    if record.source_type == "eventbridge" and not record.wrapped:
        return _object_event(record, body)  # a detail is a value of the system's own
    if unpacked := _unpacked(body):
        name, content = unpacked
        return [_within(record, name, content)]
    if record.source_type == "kinesis" and (parts := user_records(body)) is not None:
        return [_user_record(record, part, number) for number, part in enumerate(parts)]
    if record.wrapped[-1:] == ("eventbridge",):
        return _object_event(record, body)
    if len(body) > MAX_OPENED or not any(mark in body for mark in _MARKS):
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    try:
        return _envelope(record, value, fetch)
    except MalformedRecordError:
        return None


def _envelope(record: Record, value: Any, fetch: Fetch) -> list[Record] | None:
    if isinstance(value, list):
        return _pointer(record, value, fetch)
    if not isinstance(value, dict):
        return None
    names = set(value)
    if value.get("Type") == "Notification" and _SNS <= names <= _SNS | _SNS_TOO:
        return _notification(record, value)
    if names == _EVENT and value["version"] == "0":
        return [_merged(record, from_eventbridge(value), "eventbridge")]
    if names == {"Records"} and _are_of_s3(value["Records"]):
        return [_merged(record, from_s3(one), "s3") for one in value["Records"]]
    if value.get("Event") == "s3:TestEvent" and value.get("Service") == "Amazon S3":
        return []
    if names == _LOGS and isinstance(value["logEvents"], list):
        return _log_events(record, value)
    return None


def _notification(record: Record, value: Mapping[str, Any]) -> list[Record] | None:
    if not text(value, "TopicArn").startswith("arn:"):
        return None
    inner = from_sns({"Sns": value})
    inner.metadata["sns_message_id"] = inner.metadata.pop("message_id")
    return [_merged(record, inner, "sns")]


def _are_of_s3(records: object) -> bool:
    return (
        isinstance(records, list)
        and bool(records)
        and all(get(one, "eventSource") == "aws:s3" and "s3" in one for one in records)
    )


def _object_event(record: Record, body: bytes) -> list[Record] | None:
    """Open the event that S3 itself sends to EventBridge. Its key isn't encoded."""
    kind = record.metadata.get("detail-type")
    if record.metadata.get("source") != "aws.s3" or kind not in ("Object Created", "Object Deleted"):
        return None
    try:
        detail = json.loads(body)
        bucket, key = text(detail, "bucket", "name"), text(detail, "object", "key")
    except (ValueError, RecursionError, MalformedRecordError):
        return None
    size, version = whole_number(get(detail, "object", "size")), optional_text(detail, "object", "version-id")
    etag = optional_text(detail, "object", "etag")
    metadata = {"bucket": bucket, "key": key, "etag": etag, "version_id": version}
    inside = _within(
        record,
        "s3",
        Gone("deleted", size) if kind == "Object Deleted" else S3Object(bucket, key, etag, size, version),
    )
    return [
        replace(
            inside,
            keys={"key": key},
            metadata=metadata | record.metadata | {"unwrapped": list(inside.wrapped)},
        )
    ]


def _log_events(record: Record, value: Mapping[str, Any]) -> list[Record] | None:
    """Open what a subscription of CloudWatch Logs sends. A control message only tests the way."""
    if value["messageType"] == "CONTROL_MESSAGE":
        return []
    if value["messageType"] != "DATA_MESSAGE":
        return None
    group, stream = text(value, "logGroup"), text(value, "logStream")
    inside = [
        _within(record, "cloudwatch_logs", text(event, "message").encode("utf-8", "surrogatepass"))
        for event in value["logEvents"]
    ]
    metadata = {"log_group": group, "log_stream": stream}
    # The partition key of such a record says nothing about a line.
    return [replace(one, keys={}, metadata=one.metadata | metadata) for one in inside]


def _user_record(record: Record, part: UserRecord, number: int) -> Record:
    inside = _within(record, "kpl", part.data)
    own = {"partition_key": part.partition_key, "subsequence": number}
    return replace(inside, keys={"partition_key": part.partition_key}, metadata=inside.metadata | own)


def _pointer(record: Record, value: Sequence[Any], fetch: Fetch) -> list[Record] | None:
    """Open a message that an extended client of AWS has moved to S3."""
    if len(value) != 2 or not isinstance(value[0], str) or value[0] not in _POINTERS:
        return None
    if _SIZES.isdisjoint(record.attributes):
        return None
    if not isinstance(value[1], dict) or set(value[1]) != {"s3BucketName", "s3Key"}:
        return None
    bucket, key = text(value[1], "s3BucketName"), text(value[1], "s3Key")
    place = S3Object(bucket, key)
    content = fetch(place)
    if isinstance(content, Unread):
        return [replace(record, metadata=record.metadata | {"body_error": content.reason})]
    inside = _within(record, "s3_pointer", content if isinstance(content, bytes | Gone) else place)
    return [replace(inside, metadata={"bucket": bucket, "key": key} | inside.metadata)]


def _within(record: Record, name: str, body: bytes | S3Object | Gone) -> Record:
    """A record without one wrapping. It remembers the envelope's body: an expression may look there."""
    assert isinstance(record.body, bytes)  # noqa: S101 (only bytes are opened)
    wrapped = (*record.wrapped, name)
    return replace(
        record,
        body=body,
        wrapped=wrapped,
        outer=(*record.outer, record.body),
        metadata=record.metadata | {"unwrapped": list(wrapped)},
    )


def _merged(record: Record, inner: Record, name: str) -> Record:
    """A record that another one wraps. What both say of themselves, the outer one says."""
    inside = _within(record, name, inner.body)
    attributes = {
        **record.metadata.get("message_attributes", {}),
        **inner.metadata.get("message_attributes", {}),
    }
    metadata = inner.metadata | inside.metadata
    return replace(
        inside,
        keys=inner.keys or record.keys,
        attributes={**record.attributes, **inner.attributes},
        metadata=metadata | ({"message_attributes": attributes} if "message_attributes" in metadata else {}),
    )


def _unpacked(body: bytes) -> tuple[str, bytes] | None:
    """What gzip wraps, or base64; None if it isn't exactly that.

    Base64 of any text looks like a word. So it counts only around gzip, or around a JSON object or list.
    """
    if body.startswith(_GZIP):
        content = _gunzipped(body)
        return None if content is None else ("gzip", content)
    packed = body.strip()
    if len(packed) > 2 * MAX_OPENED or not _BASE64.fullmatch(packed):
        return None
    content = base64.b64decode(packed)
    if base64.b64encode(content) != packed:
        return None  # bits are left over: no encoder writes that
    return ("base64", content) if _gunzipped(content) is not None or _is_json(content) else None


def _gunzipped(body: bytes) -> bytes | None:
    """The content of a whole gzip file; None if it isn't one, or has more than `MAX_OPENED` bytes."""
    content, rest = b"", body
    while rest.startswith(_GZIP):
        unzip = zlib.decompressobj(wbits=31)
        try:
            content += unzip.decompress(rest, MAX_OPENED - len(content) + 1)
        except zlib.error:
            return None
        if not unzip.eof or len(content) > MAX_OPENED:
            return None
        rest = unzip.unused_data
    return None if rest else content if body else None


def _is_json(content: bytes) -> bool:
    if content[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _decoded(record: Record, step: str) -> Record:
    """Take off a wrapping that the source's settings name; say so if there is none."""
    content: bytes | None = None
    if isinstance(record.body, bytes):
        if step == "gzip":
            content = _gunzipped(record.body) if record.body.startswith(_GZIP) else None
        else:
            try:
                content = base64.b64decode(record.body.strip(), validate=True)
            except ValueError:
                content = None
    if content is None:
        return replace(record, metadata=record.metadata | {"body_error": f"the body isn't {step}"})
    return _within(record, step, content)
