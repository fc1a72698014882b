"""Stores each object whole in the results table, by its key."""

import os
from typing import Any

import boto3

s3 = boto3.client("s3")
dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], _context: object) -> None:
    """Process an S3 event."""
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        print(text)
        dynamodb.put_item(
            TableName=os.environ["RESULTS_TABLE"], Item={"id": {"S": key}, "message": {"S": text}}
        )
