"""A usual handler that stores events: resources at module level, and one put for each record."""

import base64
import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Tracer

logger = Logger()
tracer = Tracer()
table = boto3.resource("dynamodb").Table(os.environ["PLAIN_TABLE"])


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> None:
    """Put each record under its correlation id, and log it."""
    for record in event["Records"]:
        event_id, correlation_id, body = _read(record)
        session_id = correlation_id.partition("/")[0]
        table.put_item(Item={"session_id": session_id, "event_id": event_id, "body": body})
        logger.info("recorded", extra={"correlation_id": correlation_id, "event_id": event_id})


def _read(record: dict[str, Any]) -> tuple[str, str, str]:
    if "kinesis" in record:
        data = record["kinesis"]
        return record["eventID"], data["partitionKey"], base64.b64decode(data["data"]).decode()
    if "dynamodb" in record:
        image = record["dynamodb"]["NewImage"]
        return record["eventID"], image["id"]["S"], json.dumps(image)
    return record["messageId"], record["messageAttributes"]["correlation_id"]["stringValue"], record["body"]
