"""Sends the key of each changed order on."""

import json
import logging
import os

import boto3

sqs = boto3.client("sqs")


def handler(event, _context):
    for record in event["Records"]:
        keys = json.loads(record["body"])["dynamodb"]["Keys"]
        logging.getLogger().warning("bills %s", keys["id"]["S"])
        if keys["id"]["S"].endswith("/refused"):
            raise ValueError(f"order {keys['id']['S']} is refused")
        sqs.send_message(QueueUrl=os.environ["BILLED"], MessageBody=json.dumps(keys))
