"""AWS Lambda handler of the event listener: stores the events of all sources in the results table.

Environment: `RESULTS_TABLE`, `OVERFLOW_BUCKET`, `RESULT_TTL_SECONDS`, `INLINE_LIMIT_BYTES`, `SOURCES`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from adapters import read, split
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from bodies import Bodies, LargeObject
from botocore.config import Config
from botocore.exceptions import ClientError
from correlation import correlate
from envelopes import open_all, without_object
from records import Gone, Record, S3Object, Unread
from settings import Settings, Source
from store import Store

logger = Logger()
settings = Settings.from_environ(os.environ)
s3 = boto3.client(
    "s3",
    config=Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}),
)
bodies = Bodies(s3, settings.overflow_bucket, settings.inline_limit)
dynamodb = boto3.client(
    "dynamodb",
    # received_at is set before the call, and readers look back 10 s. Three attempts of 2 s, with pauses of 1
    # and 2 s at most, end within that time. A failed record comes again with a new received_at.
    config=Config(
        connect_timeout=0.5, read_timeout=1.5, retries={"mode": "standard", "total_max_attempts": 3}
    ),
)
store = Store(dynamodb, settings.table, settings.ttl, shards=settings.shards)


class RecordsNotStoredError(Exception):
    """Some records could not be stored, so the event must come again. All others are stored before it."""


class OutOfOrderError(Exception):
    """A record isn't stored now, because an earlier one could not be stored."""


@dataclass(frozen=True)
class Failure:
    """A record that could not be stored.

    Attributes:
        reason: Names the record and the error.
        batch_item: Its name in a partial batch response; None if its mapping asks for no such response.
    """

    reason: str
    batch_item: str | None


def traced(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Trace a handler on AWS: only there a daemon collects traces.

    Elsewhere don't even create a Tracer: its SDK writes to `/tmp/.aws-xray` when it is imported.
    """
    if "AWS_XRAY_DAEMON_ADDRESS" not in os.environ:
        return handler
    return Tracer(patch_modules=["botocore"]).capture_lambda_handler(handler, capture_response=False)


@logger.inject_lambda_context(clear_state=True)
@traced
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    """Store each record of an event on its own, so a bad record doesn't stop the good ones.

    Ordered records are another matter: after one that could not be stored, no other of its shard or message
    group is stored. Tests rely on the order: if a record is in the table, every earlier one is there, too.

    Returns:
        None if all records were stored. If some could not be stored and their mapping asks for it, a partial
        batch response: only these records come again.

    Raises:
        RecordsNotStoredError: Some records could not be stored, and their mapping asks for no partial batch
            response. The message names these records. The whole event comes again, and finally goes to the
            on-failure queue. Records that were stored are then counted as redelivered.
    """
    attempts: list[Failure | None] = []
    broken: set[str] = set()  # sequences with a record that could not be stored
    for raw in split(event):
        attempts += _attempts(read(raw), context.aws_request_id, broken)
    failures = [failure for failure in attempts if failure]
    if not failures:
        return None
    if all(failure.batch_item for failure in failures):
        items = dict.fromkeys(failure.batch_item for failure in failures)
        return {"batchItemFailures": [{"itemIdentifier": item} for item in items]}
    reasons = "; ".join(failure.reason for failure in failures)
    raise RecordsNotStoredError(f"{len(failures)} of {len(attempts)} not stored: {reasons}")


def _attempts(record: Record, request_id: str, broken: set[str]) -> list[Failure | None]:
    """Store each record within a record, and return the error of each instead of raising it.

    Args:
        record: As its source delivers it.
        request_id: Of this invocation.
        broken: Sequences with a record that could not be stored. No other one of them is stored.
    """
    source = settings.source_of(record)
    try:
        records = open_all(record, _readable, source.decode) if source.unwrap else [record]
    except Exception as error:
        return [_failed(record, error, broken)]
    attempts: list[Failure | None] = []
    for one in records:
        try:
            if one.sequence in broken:
                raise OutOfOrderError("an earlier record of its shard or message group could not be stored")
            _store(source, one, request_id)
            attempts.append(None)
        except Exception as error:
            attempts.append(_failed(one, error, broken))
        finally:
            logger.remove_keys(["correlation_id"])
    return attempts


def _failed(record: Record, error: Exception, broken: set[str]) -> Failure:
    name = f"{record.source_type} event {record.identity}"
    logger.exception("not recorded", extra={"record": name})
    if record.sequence:
        broken.add(record.sequence)
    partial = settings.source_of(record).partial
    return Failure(
        f"{name}: {type(error).__name__}: {error}", batch_item=record.batch_item if partial else None
    )


def _store(source: Source, record: Record, request_id: str) -> None:
    content: object = record.body
    if isinstance(record.body, S3Object) and record.wrapped:
        content = _readable(record.body)
        if isinstance(content, Unread):  # the event that names it is better than nothing
            record, content = without_object(record, content), record.outer[-1]
    else:
        content = bodies.read(record.body)
    correlation = correlate(source, record, content if isinstance(content, bytes) else None)
    logger.append_keys(correlation_id=correlation.correlation_id)
    body = bodies.keep(content, correlation)
    store.save(source, record, correlation, body, request_id)
    logger.info(
        "recorded",
        extra={"session_id": correlation.session_id, "event_id": correlation.event_id, "source": source.name},
    )


def _readable(place: S3Object) -> bytes | LargeObject | Gone | Unread:
    """Read an object that a message names. The module's user may not have granted that."""
    try:
        return bodies.read(place)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        logger.warning("an object that a message names can't be read", extra={"bucket": place.bucket})
        return Unread(
            f"s3://{place.bucket}/{place.key} may not be read: name its bucket in the module's `read_buckets`"
        )
