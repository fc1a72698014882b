"""Confirms orders: messages of the queue in, events on the shop's bus out.

Environment: `BUS`, `DEAD_LETTER_QUEUE_URL`, `HANDLED_TABLE`.
"""

import json
import os
from decimal import Decimal, InvalidOperation
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyValidationError
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)
events, queues = boto3.client("events"), boto3.client("sqs")
# The id identifies an order. The same id with other lines is an error, not a repetition.
once = IdempotencyConfig(
    event_key_jmespath="order_id",
    payload_validation_jmespath="lines",
    expires_after_seconds=24 * 60 * 60,
)
handled = DynamoDBPersistenceLayer(table_name=os.environ["HANDLED_TABLE"])


class MalformedOrderError(Exception):
    """The order is not valid; a retry can't help."""


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle each message of a batch; only failed ones are retried, and finally become dead letters."""
    once.register_lambda_context(context)
    return dict(
        process_partial_response(event=event, record_handler=handle, processor=processor, context=context)
    )


def handle(record: SQSRecord) -> None:
    """Confirm the order in a message, or refuse it if a retry can't help."""
    try:
        order = read(record.body)
        with logger.append_context_keys(correlation_id=order["order_id"]):
            confirm(order=order)
    except (MalformedOrderError, IdempotencyValidationError) as error:
        refuse(record, error)


def read(body: str) -> dict[str, Any]:
    """Read an order: `{"order_id": "…", "lines": [{"sku": "…", "quantity": 2, "price": "9.50"}]}`."""
    try:
        order = json.loads(body, parse_float=Decimal)
        if not isinstance(order["order_id"], str) or not order["lines"]:
            raise MalformedOrderError("an order has an order_id and at least one line")
        for line in order["lines"]:
            counted = isinstance(line["quantity"], int) and line["quantity"] > 0
            if not counted or Decimal(line["price"]) < 0:
                raise MalformedOrderError(f"line {line['sku']} has no quantity or price to charge")
    except (ValueError, TypeError, LookupError, InvalidOperation) as error:
        raise MalformedOrderError(f"not an order: {type(error).__name__}: {error}") from error
    return dict(order)


@idempotent_function(data_keyword_argument="order", config=once, persistence_store=handled)
def confirm(order: dict[str, Any]) -> None:
    """Announce that an order is confirmed; only once, even if it is delivered several times."""
    logger.info("confirming")
    total = sum(line["quantity"] * Decimal(line["price"]) for line in order["lines"])
    detail = {"order_id": order["order_id"], "lines": len(order["lines"]), "total": f"{total:.2f}"}
    entry = {
        "EventBusName": os.environ["BUS"],
        "Source": "orders",
        "DetailType": "order confirmed",
        "Detail": json.dumps(detail),
    }
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:  # the call itself succeeds
        raise RuntimeError(f"the bus refused the event: {answer['Entries'][0]}")
    logger.info("confirmed")


def refuse(record: SQSRecord, error: Exception) -> None:
    """Make the whole message a dead letter at once, with the reason in the attributes that Lambda uses."""
    logger.warning("refused", extra={"error": str(error)})
    reason = {"ErrorCode": type(error).__name__, "ErrorMessage": str(error)[:1024]}
    kept = {
        name: {"DataType": attribute["dataType"], "StringValue": attribute["stringValue"]}
        for name, attribute in record.raw_event["messageAttributes"].items()
        if attribute.get("stringValue")
    }
    added = {name: {"DataType": "String", "StringValue": text} for name, text in reason.items()}
    queues.send_message(
        QueueUrl=os.environ["DEAD_LETTER_QUEUE_URL"],
        MessageBody=record.body,
        MessageAttributes=kept | added,
    )
