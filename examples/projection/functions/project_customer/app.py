"""Projects customers into the directory: changes of the one table in, items of the other out.

Environment: `DIRECTORY_TABLE`, `FAILURE_QUEUE_URL`.
"""

import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import (
    DynamoDBRecord,
    DynamoDBRecordEventName,
    DynamoDBStreamEvent,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from boto3.dynamodb.conditions import Attr

logger = Logger()
directory = boto3.resource("dynamodb").Table(os.environ["DIRECTORY_TABLE"])
queues = boto3.client("sqs")


class MalformedCustomerError(Exception):
    """It can't be projected, however often it is tried."""


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Project the changes of a batch in their order.

    Any error ends it, and Lambda then brings the batch again, in halves: what was projected before is
    recognised by its place in the stream.
    """
    for record in DynamoDBStreamEvent(event).records:
        with logger.append_context_keys(correlation_id=_customer_id(record)):
            try:
                project(record)
            except MalformedCustomerError as error:
                refuse(record, error)


def project(record: DynamoDBRecord) -> None:
    """Make the directory's entry what a change says, unless it is newer already.

    A change from before a removal may bring an entry back, but not for long: what is delivered again is
    delivered in its order, the removal too.
    """
    # As text of one length: a number may have more digits than DynamoDB keeps.
    place = f"{record.dynamodb.sequence_number:0>40}"
    older = Attr("place").not_exists() | Attr("place").lt(place)
    entry = None if record.event_name is DynamoDBRecordEventName.REMOVE else _entry(record.dynamodb.new_image)
    try:
        if entry is None:
            directory.delete_item(Key={"customer_id": _customer_id(record)}, ConditionExpression=older)
        else:
            directory.put_item(Item=entry | {"place": place}, ConditionExpression=older)
    except directory.meta.client.exceptions.ConditionalCheckFailedException:
        logger.info("projected before")
    else:
        logger.info("removed" if entry is None else "projected")


def refuse(record: DynamoDBRecord, error: Exception) -> None:
    """Keep a change that can't be projected, whole, and go on: it would hold up all those after it."""
    logger.warning("refused", extra={"error": str(error)})
    reason = {"ErrorCode": type(error).__name__, "ErrorMessage": str(error)}
    queues.send_message(
        QueueUrl=os.environ["FAILURE_QUEUE_URL"],
        MessageBody=json.dumps(record.raw_event, default=str),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": text} for name, text in reason.items()
        },
    )


def _entry(customer: dict[str, Any]) -> dict[str, Any]:
    email = customer.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise MalformedCustomerError("the customer has no e-mail address")
    return {
        "customer_id": customer["customer_id"],
        "email": email.strip().lower(),
        "name": " ".join(str(customer.get("name", "")).split()),
    }


def _customer_id(record: DynamoDBRecord) -> str:
    return str(record.dynamodb.keys["customer_id"])
