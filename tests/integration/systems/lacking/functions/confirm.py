"""Confirms orders."""

import logging
import os

import boto3

log = logging.getLogger()
log.setLevel("INFO")


def handler(event, _context):
    """Send each order on, with its correlation id."""
    for record in event["Records"]:
        id_ = record["messageAttributes"]["correlation_id"]["stringValue"]
        log.info("confirming %s", id_)
        boto3.client("sqs").send_message(
            QueueUrl=os.environ["QUEUE"],
            MessageBody=record["body"],
            MessageAttributes={"correlation_id": {"DataType": "String", "StringValue": id_}},
        )
