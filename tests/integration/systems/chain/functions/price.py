"""Prices orders from a queue and publishes them."""

import json
import os

import boto3


def handler(event, _context):
    """Publish each order with its total."""
    for record in event["Records"]:
        id_ = record["messageAttributes"]["correlation_id"]["stringValue"]
        print("pricing", id_)  # noqa: T201 (the log)
        order = json.loads(record["body"])
        order["total"] = order["amount"] * 2
        boto3.client("sns").publish(
            TopicArn=os.environ["TOPIC"],
            Message=json.dumps(order),
            MessageAttributes={"correlation_id": {"DataType": "String", "StringValue": id_}},
        )
