"""AWS Lambda handler of the event listener: events of any source in, items of the results table out.

Environment: `RESULTS_TABLE`, `OVERFLOW_BUCKET`, `RESULT_TTL_SECONDS`, `INLINE_LIMIT_BYTES`, `SOURCES`.
"""

import os
from typing import Any

import boto3
from adapters import read, split
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from bodies import Bodies
from botocore.config import Config
from correlation import correlate
from records import Record
from settings import Settings
from store import Store

logger = Logger()
# Only where AWS runs the function is there a daemon that takes traces; elsewhere each would be an error.
tracer = Tracer(
    disabled=None if "AWS_XRAY_DAEMON_ADDRESS" in os.environ else True,
    patch_modules=["botocore"],
)
settings = Settings.from_environ(os.environ)
s3 = boto3.client(
    "s3",
    config=Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}),
)
bodies = Bodies(s3, settings.overflow_bucket, settings.inline_limit)
dynamodb = boto3.client(
    "dynamodb",
    # received_at is stamped before the call, and readers look back 10 s from there.
    config=Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 4}),
)
store = Store(dynamodb, settings.table, settings.ttl)


class RecordsNotStoredError(Exception):
    """Some records could not be stored; raised after the others are, so that the event comes again."""


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Store each record of an event.

    Returns:
        A partial batch response, for the sources that know such a thing (SQS, Kinesis, DynamoDB). In an
        ordered batch nothing is stored after a failure, and the rest is reported with it.

    Raises:
        RecordsNotStoredError: For the sources that don't: Lambda then sends the whole event again, and
            at last to the on-failure queue; what was stored is then stored again, as a redelivery.
    """
    records = [read(raw) for raw in split(event)]
    failed: list[Record] = []
    errors = []
    for position, record in enumerate(records):
        error = _attempt(record, context.aws_request_id)
        if error:
            errors.append(error)
            failed += records[position:] if record.ordered else [record]
            if record.ordered:
                break
    response = []
    for record in failed:
        if record.batch_item is None:
            raise RecordsNotStoredError(f"{len(failed)} of {len(records)} not stored: {'; '.join(errors)}")
        response.append({"itemIdentifier": record.batch_item})
    return {"batchItemFailures": response}


def _attempt(record: Record, request_id: str) -> str | None:
    """Store one record and return what went wrong, whatever it is: the others still have their turn."""
    try:
        _store(record, request_id)
    except Exception as error:
        name = f"{record.source_type} event {record.identity}"
        logger.exception("not recorded", extra={"record": name})
        return f"{name}: {type(error).__name__}: {error}"
    finally:
        logger.remove_keys(["correlation_id"])
    return None


def _store(record: Record, request_id: str) -> None:
    source = settings.source_of(record)
    content = bodies.read(record.body)
    correlation = correlate(source, record, content if isinstance(content, bytes) else None)
    logger.append_keys(correlation_id=correlation.correlation_id)
    body = bodies.keep(content, correlation)
    store.save(source, record, correlation, body, request_id)
    logger.info(
        "recorded",
        extra={"run_id": correlation.run_id, "event_id": correlation.event_id, "source": source.name},
    )
