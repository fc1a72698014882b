"""Wraps bodies as the services and clients of AWS do."""

import base64
import gzip
import hashlib
import json
from typing import Any

from aws_events import eventbridge_event, sns_record
from s3_events import s3_event

POINTER = "software.amazon.payloadoffloading.PayloadS3Pointer"


def sns(message: str, attributes: dict[str, Any] | None = None) -> str:
    """What SNS puts into a queue without raw message delivery."""
    notification = sns_record(message, attributes=attributes)["Sns"]
    spelled = {"SigningCertUrl": "SigningCertURL", "UnsubscribeUrl": "UnsubscribeURL"}
    return json.dumps({spelled.get(name, name): value for name, value in notification.items()})


def eventbridge(detail: Any, **fields: Any) -> str:
    return json.dumps(eventbridge_event(detail, **fields))


def s3_detail(key: str, bucket: str = "bucket", **fields: Any) -> dict[str, Any]:
    """The detail of the event that S3 itself sends to EventBridge."""
    return {
        "version": "0",
        "bucket": {"name": bucket},
        "object": {"key": key, "size": 5, "etag": "e", "sequencer": "01"} | fields,
        "request-id": "C3D13FE58DE4C810",
        "requester": "123456789012",
        "source-ip-address": "127.0.0.1",
        "reason": "PutObject",
    }


def notification(*records: Any) -> str:
    return json.dumps(s3_event(*records))


def pointer(bucket: str, key: str, name: str = POINTER) -> str:
    return json.dumps([name, {"s3BucketName": bucket, "s3Key": key}])


def logs(*messages: str, **fields: Any) -> bytes:
    """What a subscription of CloudWatch Logs puts into a stream."""
    events = [
        {"id": str(n), "timestamp": 1700000000000 + n, "message": text} for n, text in enumerate(messages)
    ]
    payload = {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/aws/lambda/shop",
        "logStream": "2026/11/26/[$LATEST]1",
        "subscriptionFilters": ["orders"],
        "logEvents": events,
    }
    return gzip.compress(json.dumps(payload | fields).encode())


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def varint(number: int) -> bytes:
    packed = b""
    while number > 0x7F:
        packed += bytes([number & 0x7F | 0x80])
        number >>= 7
    return packed + bytes([number])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def kpl(*records: tuple[str, bytes], more: bytes = b"") -> bytes:
    """What the Kinesis Producer Library puts into one record."""
    keys = list(dict.fromkeys(key for key, _ in records))
    message = b"".join(field(1, key.encode()) for key in keys) + field(2, b"123") + more
    for key, data in records:
        tag = field(1, b"tag") + field(2, b"value")
        message += field(3, field(1, keys.index(key)) + field(2, 0) + field(3, data) + field(4, tag))
    digest = hashlib.md5(message, usedforsecurity=False).digest()
    return b"\xf3\x89\x9a\xc2" + message + digest
