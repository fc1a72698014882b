"""Events of the sources as AWS documents them, each a record as it comes in an event."""

import base64
from typing import Any

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:queue"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:topic"
STREAM = "arn:aws:kinesis:eu-west-1:123456789012:stream/stream"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/table"


def sqs_record(
    body: str = "body",
    *,
    message_id: str = "059f36b4-87a3-44ab-83d2-661975830a7d",
    attributes: dict[str, Any] | None = None,
    arn: str = QUEUE,
) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": attributes or {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "eu-west-1",
    }


def sqs_attribute(value: str) -> dict[str, Any]:
    return {
        "stringValue": value,
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    }


def sqs_binary_attribute(value: bytes) -> dict[str, Any]:
    return {
        "binaryValue": base64.b64encode(value).decode(),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "Binary",
    }


def sns_record(message: str = "message", *, attributes: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{TOPIC}:21be56ed-a058-49f5-8c98-aedd2564c486",
        "EventSource": "aws:sns",
        "Sns": {
            "SignatureVersion": "1",
            "Timestamp": "2019-01-02T12:45:07.000Z",
            "Signature": "tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j...65r==",
            "SigningCertUrl": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-ac565b8b.pem",
            "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
            "Message": message,
            "MessageAttributes": attributes or {},
            "Type": "Notification",
            "UnsubscribeUrl": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
            "TopicArn": TOPIC,
            "Subject": "subject",
        },
    }


def eventbridge_event(detail: Any = None, **fields: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "order placed",
        "source": "shop",
        "account": "123456789012",
        "time": "2021-11-11T21:29:54Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:shop:::order/1"],
        "detail": {"order": {"id": "run/case"}} if detail is None else detail,
    } | fields


def wrapped(event: Any, source: Any = "bus") -> dict[str, Any]:
    return {"event_harness_source": source, "event": event}


def kinesis_record(
    data: bytes = b"data", *, partition_key: str = "run/case", sequence: str = "4959033827149025660855969253"
) -> dict[str, Any]:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": partition_key,
            "sequenceNumber": sequence,
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": 1545084650.987,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
        "awsRegion": "eu-west-1",
        "eventSourceARN": STREAM,
    }


def dynamodb_record(
    keys: dict[str, Any] | None = None,
    *,
    name: str = "INSERT",
    new: dict[str, Any] | None = None,
    old: dict[str, Any] | None = None,
    sequence: str = "4421584500000000017450439091",
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "eventID": f"c4ca4238a0b923820dcc509a6f75849b{sequence}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1428537600.0,
            "Keys": {"id": {"S": "run/case"}} if keys is None else keys,
            "SequenceNumber": sequence,
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": f"{TABLE}/stream/2015-06-27T00:48:05.899",
    }
    if new is not None:
        record["dynamodb"]["NewImage"] = new
    if old is not None:
        record["dynamodb"]["OldImage"] = old
    return record
