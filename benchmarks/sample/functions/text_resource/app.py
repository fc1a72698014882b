"""A usual handler of S3 events: a resource, a Logger and a Tracer at module level."""

import os
from typing import Any
from urllib.parse import unquote_plus

import boto3
from aws_lambda_powertools import Logger, Tracer

logger = Logger()
tracer = Tracer()
s3 = boto3.resource("s3")


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> None:
    """Write each object in upper case, and log it."""
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        text = s3.Object(bucket, key).get()["Body"].read().decode()
        s3.Object(os.environ["DESTINATION_BUCKET"], key).put(Body=text.upper().encode())
        logger.info("written", extra={"correlation_id": key})
