"""Projects customers into the directory: changes of one table in, items of another table out.

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
    """The customer is not valid; a retry can't help."""


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Project the changes of a batch in order.

    Any error ends the batch, and Lambda retries it in halves. A change that was already projected is
    recognised by its position in the stream.
    """
    for record in DynamoDBStreamEvent(event).records:
        with logger.append_context_keys(correlation_id=_customer_id(record)):
            try:
                project(record)
            except MalformedCustomerError as error:
                refuse(record, error)


def project(record: DynamoDBRecord) -> None:
    """Apply a change to the directory's entry, unless the entry is newer.

    A repeated change from before a removal restores the entry, but only briefly: the stream repeats changes
    in order, so the removal follows.
    """
    # A text of fixed length: the number may have more digits than DynamoDB stores.
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
    """Keep the whole change in the failure queue and continue: it would block all changes after it."""
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
