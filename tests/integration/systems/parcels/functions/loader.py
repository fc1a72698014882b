"""Loads heavy parcels: a queue leads here, and only for them."""

import json
import os
import time

import boto3

sqs = boto3.client("sqs")


def handler(event, _context):
    """Mark each parcel and send it on."""
    for record in event["Records"]:
        parcel = json.loads(record["body"])
        if parcel.get("fragile"):
            parcel["people"] = 3
        else:
            parcel["people"] = 2
        if parcel.get("stop"):
            breakpoint()
        if parcel.get("late"):
            time.sleep(20)
            parcel["people"] = 0
        sqs.send_message(
            QueueUrl=os.environ["SORTED"],
            MessageBody=json.dumps(parcel),
            MessageAttributes={
                "correlation_id": {
                    "DataType": "String",
                    "StringValue": record["messageAttributes"]["correlation_id"]["stringValue"],
                }
            },
        )
