"""A text processor with a fault. The variable `FAULT` says which one."""

import os
import time
from typing import Any
from urllib.parse import unquote_plus

import boto3

FAULT = os.environ["FAULT"]

if FAULT == "import":
    import library_that_was_not_packed  # type: ignore[import-not-found] # noqa: F401

s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: object) -> None:
    """Process an S3 event, wrongly."""
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        right, wrong = text.upper(), text.title()
        print(f"processing {key}")
        for body in {"wrong": [wrong], "late": [right, wrong], "twice": [right, right]}[FAULT]:
            s3.put_object(Bucket=os.environ["DESTINATION_BUCKET"], Key=key, Body=body.encode())
            time.sleep(0.5)
