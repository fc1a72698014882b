"""Turns the events that Lambda passes to the function into records: one small function per source type.

For a new source type, add a function and a line in `ADAPTERS`. `read` never raises and never drops an event:
if no adapter can read it, it becomes a record with the raw JSON as its body.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from fields import (
    MalformedRecordError,
    base64_bytes,
    get,
    json_bytes,
    mapping,
    optional_text,
    plain,
    text,
    time_from_iso,
    time_from_number,
    whole_number,
)
from records import Gone, Record, S3Object

# The rule's input transformer adds these names, because an EventBridge event doesn't name its rule.
WRAPPED_SOURCE, WRAPPED_EVENT = "event_harness_source", "event"


def split(event: object) -> list[object]:
    """Return the raw records of an event; the event itself if it has no list of records.

    S3 sends an `s3:TestEvent` when a notification is configured. It has no records.
    """
    records = get(event, "Records")
    if records is None and get(event, "Event") == "s3:TestEvent":
        return []
    return records if isinstance(records, list) else [event]


def read(raw: object) -> Record:
    """Turn any raw record into a record."""
    try:
        return _adapter_of(raw)(raw)
    except (MalformedRecordError, RecursionError) as error:
        return _malformed(raw, str(error))


def from_s3(raw: object) -> Record:
    """Read a record of an S3 notification. Its body stays in S3."""
    bucket, key = text(raw, "s3", "bucket", "name"), unquote_plus(text(raw, "s3", "object", "key"))
    name, time = text(raw, "eventName"), get(raw, "eventTime")
    etag = (optional_text(raw, "s3", "object", "eTag") or "").strip('"') or None
    sequencer = optional_text(raw, "s3", "object", "sequencer")
    size = whole_number(get(raw, "s3", "object", "size"))
    version_id = optional_text(raw, "s3", "object", "versionId")
    removed = name.removeprefix("s3:").startswith(("ObjectRemoved:", "LifecycleExpiration:"))
    return Record(
        source_type="s3",
        match=bucket,
        identity=f"{bucket}/{key}/{sequencer or f'{time} {name} {etag}'}",
        body=Gone("deleted", size) if removed else S3Object(bucket, key, etag, size, version_id),
        metadata={
            "event_name": name,
            "bucket": bucket,
            "key": key,
            "etag": etag,
            "sequencer": sequencer,
            "version_id": version_id,
        },
        event_time=time_from_iso(time),
        keys={"key": key},
    )


def from_sqs(raw: object) -> Record:
    """Read a message of an SQS queue."""
    message_id = text(raw, "messageId")
    attributes, unwrapped = _attributes(mapping(raw, "messageAttributes"), "stringValue", "binaryValue")
    group = optional_text(raw, "attributes", "MessageGroupId")
    arn = text(raw, "eventSourceARN")
    return Record(
        source_type="sqs",
        match=arn,
        identity=message_id,
        body=_encoded(text(raw, "body")),
        metadata={"message_id": message_id, "message_attributes": unwrapped, "message_group_id": group},
        event_time=time_from_number(get(raw, "attributes", "SentTimestamp"), per_second=1000),
        attributes=attributes,
        batch_item=message_id,
        sequence=f"{arn}/{group}" if arn.endswith(".fifo") else None,
    )


def from_sns(raw: object) -> Record:
    """Read a notification of an SNS topic."""
    message_id, topic = text(raw, "Sns", "MessageId"), text(raw, "Sns", "TopicArn")
    attributes, unwrapped = _attributes(mapping(raw, "Sns", "MessageAttributes"), "Value", "Value")
    return Record(
        source_type="sns",
        match=topic,
        identity=message_id,
        body=_encoded(text(raw, "Sns", "Message")),
        metadata={
            "message_id": message_id,
            "topic_arn": topic,
            "subject": optional_text(raw, "Sns", "Subject"),
            "message_attributes": unwrapped,
        },
        event_time=time_from_iso(get(raw, "Sns", "Timestamp")),
        attributes=attributes,
    )


def from_eventbridge(raw: object) -> Record:
    """Read an event of an EventBridge bus, bare or wrapped by the rule's input transformer."""
    source, event = optional_text(raw, WRAPPED_SOURCE), raw
    if source is not None:
        event = get(raw, WRAPPED_EVENT)
        if isinstance(event, str):
            try:
                event = json.loads(event)
            except ValueError as error:
                raise MalformedRecordError(f"{WRAPPED_EVENT} is text that isn't JSON") from error
    event_id, detail = text(event, "id"), get(event, "detail")
    if detail is None:
        raise MalformedRecordError("detail is missing")
    fields = ("source", "detail-type", "account", "region", "resources")
    return Record(
        source_type="eventbridge",
        match=source or "",
        identity=event_id,
        body=json_bytes(detail),
        metadata={"id": event_id} | {field: get(event, field) for field in fields},
        event_time=time_from_iso(get(event, "time")),
    )


def from_kinesis(raw: object) -> Record:
    """Read a record of a Kinesis stream."""
    sequence, partition_key = text(raw, "kinesis", "sequenceNumber"), text(raw, "kinesis", "partitionKey")
    shard = text(raw, "eventID").rpartition(":")[0]  # "<shard>:<sequence number>"
    arn = text(raw, "eventSourceARN")
    return Record(
        source_type="kinesis",
        match=arn,
        identity=f"{shard}:{sequence}",
        body=base64_bytes(raw, "kinesis", "data"),
        metadata={"shard": shard, "sequence": sequence, "partition_key": partition_key},
        event_time=time_from_number(get(raw, "kinesis", "approximateArrivalTimestamp")),
        keys={"partition_key": partition_key},
        batch_item=sequence,
        sequence=f"{arn}/{shard}",
    )


def from_dynamodb(raw: object) -> Record:
    """Read a change of a DynamoDB table. The body is JSON with the keys, and the images if there are any."""
    name, keys = text(raw, "eventName"), plain({"M": mapping(raw, "dynamodb", "Keys")})
    new, old = (get(raw, "dynamodb", image) for image in ("NewImage", "OldImage"))
    sequence, arn = text(raw, "dynamodb", "SequenceNumber"), text(raw, "eventSourceARN")
    body = {
        "eventName": name,
        "keys": keys,
        "new_image": None if new is None else plain({"M": new}),
        "old_image": None if old is None else plain({"M": old}),
    }
    return Record(
        source_type="dynamodb",
        match=arn,
        identity=text(raw, "eventID"),
        body=json_bytes(body),
        metadata={"eventName": name, "keys": keys, "sequence": sequence},
        event_time=time_from_number(get(raw, "dynamodb", "ApproximateCreationDateTime")),
        keys={attribute: str(value) for attribute, value in keys.items()},
        batch_item=sequence,
        sequence=arn,  # all records of a batch are of one shard
    )


ADAPTERS: Mapping[str, Callable[[object], Record]] = {
    "aws:s3": from_s3,
    "aws:sqs": from_sqs,
    "aws:sns": from_sns,
    "aws:kinesis": from_kinesis,
    "aws:dynamodb": from_dynamodb,
}


def _adapter_of(raw: object) -> Callable[[object], Record]:
    adapter = ADAPTERS.get(optional_text(raw, "eventSource") or optional_text(raw, "EventSource") or "")
    if adapter:
        return adapter
    if get(raw, WRAPPED_SOURCE) is not None or get(raw, "detail-type") is not None:
        return from_eventbridge
    raise MalformedRecordError("the record is of no source type that the listener knows")


def _malformed(raw: object, error: str) -> Record:
    """Keep an unreadable record. Its checksum is its identity, so each delivery has the same one."""
    body = json_bytes(raw)
    return Record(
        source_type="unknown",
        match="",
        identity=hashlib.sha256(body).hexdigest(),
        body=body,
        metadata={"record_error": error},
    )


def _encoded(body: str) -> bytes:
    return body.encode("utf-8", "surrogatepass")


def _attributes(
    raw: Mapping[str, Any], text_field: str, bytes_field: str
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return message attributes as texts, to find an id in them, and as values to keep (binary: base64)."""
    texts, values = {}, {}
    for name, attribute in raw.items():
        kind = optional_text(attribute, "dataType") or optional_text(attribute, "Type") or ""
        if kind.startswith("Binary"):
            values[name] = get(attribute, bytes_field)
            try:
                texts[name] = base64_bytes(attribute, bytes_field).decode()
            except (MalformedRecordError, UnicodeDecodeError):
                continue  # an id is text
        else:
            value = get(attribute, text_field)
            values[name] = attribute if value is None else value
            if isinstance(value, str):
                texts[name] = value
    return texts, values
