import json
import os

import boto3
from word import WORD

sqs = boto3.client("sqs")


def first(event, _context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        sqs.send_message(
            QueueUrl=os.environ["NEXT"], MessageBody=json.dumps(order | {"words": [f"first {WORD}"]})
        )


def last(event, _context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        order["words"].append(f"last {WORD}")
        sqs.send_message(QueueUrl=os.environ["NEXT"], MessageBody=json.dumps(order))
