"""Reads each object whole, by the key in the event, and writes it in upper case."""

import os
from typing import Any

import boto3

s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: object) -> None:
    """Process an S3 event."""
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        print(text)
        s3.put_object(Bucket=os.environ["DESTINATION_BUCKET"], Key=key, Body=text.upper().encode())
