import json
import os

import boto3

sqs = boto3.client("sqs")
WORD = "one"


def handler(event, _context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        order["words"].append(f"middle {WORD}")
        sqs.send_message(QueueUrl=os.environ["NEXT"], MessageBody=json.dumps(order))
