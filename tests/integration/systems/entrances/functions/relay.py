"""Sends what comes in by a request, an invocation or an execution to a queue."""

import base64
import json
import os

import boto3


def handler(event, _context):
    """Send the order on; return what the caller gets."""
    order = event
    if "requestContext" in event:
        body = event.get("body") or "{}"
        order = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
        headers = {name.lower(): value for name, value in event["headers"].items()}
        order.setdefault("correlation_id", headers.get("x-correlation-id"))
        order["path"] = event.get("rawPath") or event.get("path")
    if order.get("total", 1) < 0:
        if "requestContext" in event:
            return {"statusCode": 422, "body": json.dumps({"message": "negative", "total": order["total"]})}
        raise ValueError(f"negative total of {order['correlation_id']}")
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(order))
    return {"statusCode": 202, "body": "{}"} if "requestContext" in event else order
