"""AWS Lambda handler of the event listener: stores the events of all sources in the results table.

Environment: `RESULTS_TABLE`, `OVERFLOW_BUCKET`, `RESULT_TTL_SECONDS`, `INLINE_LIMIT_BYTES`, `SOURCES`.
"""

import gc

gc.disable()  # a cold start makes many objects that stay: to look for garbage meanwhile takes a tenth of it

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from adapters import read, split
from aws_lambda_powertools import Logger, Tracer
from bodies import Bodies, LargeObject
from botocore.exceptions import ClientError
from clients import Late, dynamodb_client, s3_client
from correlation import Correlation, correlate
from envelopes import open_all, without_object
from records import Gone, Record, S3Object, Unread
from settings import Settings, Source
from store import Store, Together, Write

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3 import S3Client

logger = Logger()
settings = Settings.from_environ(os.environ)
bodies = Bodies(cast("S3Client", Late(s3_client)), settings.overflow_bucket, settings.inline_limit)
dynamodb = dynamodb_client()
store = Store(dynamodb, settings.table, settings.ttl, shards=settings.shards)
gc.freeze()  # else the next collection would look at all of them at once
gc.enable()


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


@dataclass
class Entry:
    """A record on its way into the table.

    Attributes:
        source: Where it came from.
        record: The record.
        correlation: Its ids, once they are found.
        write: What is to be written, once that is known.
        error: Why it can't be stored.
    """

    source: Source
    record: Record
    correlation: Correlation | None = None
    write: Write | None = None
    error: Exception | None = None

    @property
    def name(self) -> str:
        """Which record it is, for people."""
        return f"{self.record.source_type} event {self.record.identity}"


def traced(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Trace a handler on AWS: only there a daemon collects traces.

    Elsewhere don't even create a Tracer: its SDK writes to `/tmp/.aws-xray` when it is imported.
    """
    if "AWS_XRAY_DAEMON_ADDRESS" not in os.environ:
        return handler
    return Tracer(patch_modules=["botocore"]).capture_lambda_handler(handler, capture_response=False)


@logger.inject_lambda_context(clear_state=True)
@traced
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any] | None:
    """Store the records of an event together. If that fails, store each on its own: a bad one stops no other.

    Ordered records are another matter: after one that could not be stored, no other of its shard or message
    group is stored. Tests rely on the order: if a record is in the table, every earlier one is there, too.

    Returns:
        None if all records were stored. If some could not be stored and their mapping asks for it, a partial
        batch response: only these records come again.

    Raises:
        RecordsNotStoredError: Some records could not be stored, and their mapping asks for no partial batch
            response. The message names these records. The whole event comes again, and finally goes to the
            failure queue. Records that were stored are then counted as redelivered.
    """
    entries = [entry for raw in split(event) for entry in _entries(read(raw), context.aws_request_id)]
    broken: set[str] = set()  # sequences with a record that could not be stored
    together: list[Entry] = []
    call = Together()
    for entry in entries:
        if entry.write and not call.takes(entry.write):
            _store(together, broken)
            together, call = [], Together()
            call.takes(entry.write)
        together.append(entry)
    _store(together, broken)
    failures = [failure for entry in entries if (failure := _failure(entry))]
    if not failures:
        return None
    if all(failure.batch_item for failure in failures):
        items = dict.fromkeys(failure.batch_item for failure in failures)
        return {"batchItemFailures": [{"itemIdentifier": item} for item in items]}
    reasons = "; ".join(failure.reason for failure in failures)
    raise RecordsNotStoredError(f"{len(failures)} of {len(entries)} not stored: {reasons}")


def _entries(record: Record, request_id: str) -> list[Entry]:
    """Each record within a record, ready to be written.

    Args:
        record: As its source delivers it.
        request_id: Of this invocation.
    """
    source = settings.source_of(record)
    try:
        records = open_all(record, _readable, source.decode) if source.unwrap else [record]
    except Exception as error:
        return [Entry(source, record, error=error)]
    return [_prepared(source, one, request_id) for one in records]


def _prepared(source: Source, record: Record, request_id: str) -> Entry:
    """Read a record's body, and find its ids. Keep any error instead of raising it, for the other records."""
    entry = Entry(source, record)
    try:
        content: object = record.body
        if isinstance(record.body, S3Object) and record.wrapped:
            content = _readable(record.body)
            if isinstance(content, Unread):  # the event that names it is better than nothing
                record, content = without_object(record, content), record.outer[-1]
                entry.record = record
        else:
            content = bodies.read(record.body)
        entry.correlation = correlate(source, record, content if isinstance(content, bytes) else None)
        body = bodies.keep(content, entry.correlation)
        entry.write = store.write(source, record, entry.correlation, body, request_id)
    except Exception as error:
        entry.error = error
    return entry


def _store(entries: list[Entry], broken: set[str]) -> None:
    """Store the records of one call. If they can't be stored together, store each of them alone.

    Args:
        entries: The records, in their order.
        broken: The sequences with a record that could not be stored. It gets new ones.
    """
    ready = [entry for entry in entries if _may_be_stored(entry, broken)]
    if not store.save_together([entry.write for entry in ready if entry.write]):
        refused: set[str] = set()
        for entry in ready:
            if entry.write and _may_be_stored(entry, refused):
                try:
                    store.save(entry.write)
                except Exception as error:
                    entry.error = error
                    _may_be_stored(entry, refused)
        broken |= refused
    for entry in entries:
        _log(entry)


def _may_be_stored(entry: Entry, broken: set[str]) -> bool:
    """Whether neither this record nor an earlier one of its sequence has an error.

    Args:
        entry: The record.
        broken: The sequences of which an earlier record could not be stored. A new one is added.
    """
    sequence = entry.record.sequence
    if entry.error is None and sequence in broken:
        entry.error = OutOfOrderError("an earlier record of its shard or message group could not be stored")
    if entry.error is not None and sequence:
        broken.add(sequence)
    return entry.error is None


def _log(entry: Entry) -> None:
    correlation = entry.correlation
    ids = {"correlation_id": correlation.correlation_id} if correlation and correlation.correlation_id else {}
    if entry.error is not None:
        logger.error("not recorded", exc_info=entry.error, extra={"record": entry.name, **ids})
    elif correlation:
        more = {"session_id": correlation.session_id, "event_id": correlation.event_id}
        logger.info("recorded", extra={**more, "source": entry.source.name, **ids})


def _failure(entry: Entry) -> Failure | None:
    error = entry.error
    if error is None:
        return None
    partial = settings.source_of(entry.record).partial
    return Failure(
        f"{entry.name}: {type(error).__name__}: {error}",
        batch_item=entry.record.batch_item if partial else None,
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
