"""Writes priced orders into a table."""

import os

import boto3


def handler(event, _context):
    """Write each order under its correlation id."""
    for record in event["Records"]:
        id_ = record["Sns"]["MessageAttributes"]["correlation_id"]["Value"]
        item = {"id": {"S": id_}, "order": {"S": record["Sns"]["Message"]}}
        boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item=item)
