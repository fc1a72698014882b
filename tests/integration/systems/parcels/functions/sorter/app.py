"""Sorts parcels from a queue: heavy ones go to another queue."""

import json
import os

import boto3
from weights import is_heavy

sqs = boto3.client("sqs")


def handler(event, _context):
    """Send each parcel on, with its id."""
    for record in event["Records"]:
        parcel = json.loads(record["body"])
        queue = "HEAVY" if is_heavy(parcel) else "SORTED"
        sqs.send_message(
            QueueUrl=os.environ[queue],
            MessageBody=record["body"],
            MessageAttributes={
                "correlation_id": {
                    "DataType": "String",
                    "StringValue": record["messageAttributes"]["correlation_id"]["stringValue"],
                }
            },
        )
