"""Events in the form in which Lambda gives them to a function: of queues, streams and buckets."""

import base64
import json
import uuid
from types import SimpleNamespace
from typing import Any

ARN = "arn:aws:{}:eu-west-1:000000000000:{}"
QUEUE, STREAM = ARN.format("sqs", "queue"), ARN.format("kinesis", "stream/stream")
TABLE = ARN.format("dynamodb", "table/orders")
SOURCES = json.dumps(
    {
        "queue": {
            "type": "sqs",
            "match": QUEUE,
            "correlation": {"from": "attribute", "at": "correlation_id"},
        },
        "stream": {"type": "kinesis", "match": STREAM, "correlation": {"from": "key", "at": None}},
        "table": {"type": "dynamodb", "match": TABLE, "correlation": {"from": "key", "at": None}},
    }
)
BODY = json.dumps({"order": 17, "lines": [{"price": 5, "quantity": 2}] * 10})


def batch(kind: str, size: int, number: int) -> dict[str, Any]:
    """An event of some records that no other batch has.

    Args:
        kind: `sqs`, `kinesis` or `dynamodb`.
        size: Number of records.
        number: Number of the batch.
    """
    make = {"sqs": _message, "kinesis": _kinesis, "dynamodb": _dynamodb}[kind]
    session = f"s{uuid.uuid4().hex[:12]}"
    return {"Records": [make(f"{session}/{number}-{n}", f"{number:010}{n:010}") for n in range(size)]}


def created(bucket: str, key: str, etag: str) -> dict[str, Any]:
    """The event of an object that was created.

    Args:
        bucket: Name of the bucket.
        key: Key of the object.
        etag: Its entity tag.
    """
    sequencer = f"{uuid.uuid4().int:032X}"[-16:]
    s3 = {"bucket": {"name": bucket}, "object": {"key": key, "eTag": etag, "sequencer": sequencer}}
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]}


def context() -> SimpleNamespace:
    """What Lambda tells of an invocation."""
    return SimpleNamespace(
        function_name="listener",
        memory_limit_in_mb=512,
        invoked_function_arn=ARN.format("lambda", "function:listener"),
        aws_request_id=str(uuid.uuid4()),
        get_remaining_time_in_millis=lambda: 900_000,
    )


def _message(correlation_id: str, _sequence: str) -> dict[str, Any]:
    return {
        "messageId": str(uuid.uuid4()),
        "body": BODY,
        "attributes": {"SentTimestamp": "1700000000000", "ApproximateReceiveCount": "1"},
        "messageAttributes": {"correlation_id": {"stringValue": correlation_id, "dataType": "String"}},
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
    }


def _kinesis(correlation_id: str, sequence: str) -> dict[str, Any]:
    return {
        "kinesis": {
            "partitionKey": correlation_id,
            "sequenceNumber": sequence,
            "data": base64.b64encode(BODY.encode()).decode(),
            "approximateArrivalTimestamp": 1_700_000_000.5,
        },
        "eventSource": "aws:kinesis",
        "eventID": f"shardId-000000000000:{sequence}",
        "eventSourceARN": STREAM,
    }


def _dynamodb(correlation_id: str, sequence: str) -> dict[str, Any]:
    return {
        "eventID": uuid.uuid4().hex,
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": f"{TABLE}/stream/2026-11-26T00:00:00.000",
        "dynamodb": {
            "Keys": {"id": {"S": correlation_id}},
            "NewImage": {"id": {"S": correlation_id}, "order": {"S": BODY}},
            "SequenceNumber": sequence,
            "ApproximateCreationDateTime": 1_700_000_000,
        },
    }
