"""Tells a queue of priced orders."""

import os

import boto3


def handler(event, _context):
    """Send each order on, with its correlation id."""
    for record in event["Records"]:
        id_ = record["Sns"]["MessageAttributes"]["correlation_id"]["Value"]
        boto3.client("sqs").send_message(
            QueueUrl=os.environ["QUEUE"],
            MessageBody=record["Sns"]["Message"],
            MessageAttributes={"correlation_id": {"DataType": "String", "StringValue": id_}},
        )
