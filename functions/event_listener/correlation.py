"""Finds the test session and the input that an event belongs to."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from envelopes import texts_within
from records import Record
from settings import Source

UNCORRELATED = "uncorrelated"
# An id of the harness with an underscore after the test session. Other ids don't look like that.
_WITHOUT_SLASH = re.compile(r"^(s[0-9a-hjkmnp-tv-z]{13})_(?=[\w-])")
DEFAULT_NAME = "correlation_id"  # the message attribute, or the field of a JSON body

# The first two are DynamoDB's limits for keys, less the shard in the partition key. The third is ours: the id
# must fit into an item.
MAX_SESSION_ID, MAX_EVENT_ID, MAX_CORRELATION_ID = 2044, 1024, 8192  # bytes of UTF-8


@dataclass(frozen=True)
class Correlation:
    """The ids of a result.

    Attributes:
        session_id: Partition key of the results table; `uncorrelated` if the event carries no usable id.
        event_id: Sort key: the source's name and the source's own identity of the event.
        correlation_id: The whole id; None if there is no usable one.
        error: Why there is no usable id.
    """

    session_id: str
    event_id: str
    correlation_id: str | None = None
    error: str | None = None


class CorrelationError(Exception):
    """The event carries no usable id. The message never quotes the event."""


def correlate(source: Source, record: Record, body: bytes | None) -> Correlation:
    """Find the correlation id of a record. A record without an id is `uncorrelated`; that isn't an error.

    Args:
        source: The source that it came from.
        record: The record.
        body: The body; None if it is too large or gone.
    """
    event_id = cut(f"{source.name}:{record.identity}", MAX_EVENT_ID)
    if body is None:
        bodies = record.outer
    elif isinstance(record.body, bytes):
        bodies = (*record.outer, body)
    else:  # an object, whose file may be packed
        bodies = (*record.outer, *texts_within(body))
    try:
        correlation_id = _first(_places(source, record), record, bodies)
    except CorrelationError as error:
        return Correlation(UNCORRELATED, event_id, error=str(error))
    session_id = cut(correlation_id.partition("/")[0], MAX_SESSION_ID)
    return Correlation(session_id, event_id, correlation_id)


def cut(text: str, limit: int) -> str:
    """Cut a text to `limit` bytes. A text that was cut ends with its SHA-256, so it is still unique."""
    encoded = text.encode("utf-8", "backslashreplace")
    if len(encoded) <= limit:
        return encoded.decode()
    digest = hashlib.sha256(encoded).hexdigest()
    return f"{encoded[: limit - len(digest) - 1].decode(errors='ignore')}#{digest}"


def _places(source: Source, record: Record) -> list[tuple[str | None, str | None]]:
    """Where the id is: one place if the module's user says so, otherwise the usual places in their order."""
    if source.correlation_from != "auto":
        return [(source.correlation_from, source.correlation_at)]
    attribute, body = ("attribute", None), ("body", None)
    key = [("key", None)] if record.keys else []
    match record.source_type:
        case "s3" | "dynamodb":
            return [("key", None)]
        case "kinesis" if not set(record.wrapped) - {"kpl", "gzip", "base64"}:
            return [("key", None), body]
        case "kinesis":  # a service has put an event of its own, perhaps with a key of its own
            return [body, attribute, *key]
        case "eventbridge":
            return [body, *key]
        case _:
            return [attribute, *key, body]


def _first(places: Sequence[tuple[str | None, str | None]], record: Record, bodies: Sequence[bytes]) -> str:
    """The id at the first place that has one. If none has, the error is that of the first place."""
    errors = []
    for where, at in places:
        try:
            return _checked(_find(where, at, record, bodies))
        except CorrelationError as error:
            errors.append(error)
    raise errors[0]


def _find(where: str | None, at: str | None, record: Record, bodies: Sequence[bytes]) -> object:
    name = at or DEFAULT_NAME
    match where:
        case "key":
            return _key(record, at)
        case "attribute":
            if name not in record.attributes:
                raise CorrelationError(f"there is no message attribute {name!r}")
            return record.attributes[name]
        case "body":
            return _in_bodies(name, bodies)
        case None if "record_error" in record.metadata:
            raise CorrelationError("the record can't be read")
        case None:
            raise CorrelationError("no source of the listener matches the event")
        case other:
            raise CorrelationError(f"a correlation id can't be taken from {other!r}")


def _key(record: Record, at: str | None) -> str:
    if at is not None and "*" in at and len(record.keys) == 1:
        return _matched(next(iter(record.keys.values())), at)
    if at is None and len(record.keys) == 1:
        return next(iter(record.keys.values()))
    if at is None:
        raise CorrelationError(f"the event has {len(record.keys)} keys: the setting `at` must name one")
    if at not in record.keys:
        raise CorrelationError(f"the event has no key {at!r}")
    return record.keys[at]


def _matched(key: str, pattern: str) -> str:
    """Return the part of a key that the asterisk of a pattern stands for, such as `out/*.json`."""
    before, _, after = pattern.partition("*")
    if not (key.startswith(before) and key[len(before) :].endswith(after)):
        raise CorrelationError(f"the key doesn't match {pattern!r}")
    return key[len(before) : len(key) - len(after)]


def _in_bodies(expression: str, bodies: Sequence[bytes]) -> object:
    """What an expression finds in the innermost body, or else in that of an envelope around it."""
    if not bodies:
        raise CorrelationError("the body was not read: it is gone, or over the inline limit")
    errors = []
    for body in reversed(bodies):
        try:
            return _in_body(expression, body)
        except CorrelationError as error:
            errors.append(error)
    raise errors[0]


def _in_body(expression: str, body: bytes) -> object:
    """What an expression finds in a body. Powertools' functions may have a text that isn't JSON."""
    problem = None
    try:
        document = json.loads(body)
    except UnicodeDecodeError as error:
        raise CorrelationError("the body isn't JSON: it isn't UTF-8") from error
    except (ValueError, RecursionError) as error:
        problem = f"the body isn't JSON: {error}"
        if "powertools_" not in expression:
            raise CorrelationError(problem) from error
        document = body.decode(errors="replace")
    from aws_lambda_powertools.utilities.jmespath_utils import query  # its import takes 10 ms

    try:
        # JMESPath, and Powertools' functions, which read JSON, base64 and gzip within a text.
        found = query(data=document, envelope=expression)
    except Exception as error:  # an expression may fail in many ways, for a body may hold anything
        raise CorrelationError(
            problem or f"the expression {expression!r} fails: {type(error).__name__}"
        ) from error
    if found is None:
        raise CorrelationError(problem or f"the body has nothing at {expression!r}")
    return found


def _with_slash(correlation_id: str) -> str:
    """Put the slash back that a producer has replaced: the name of an execution takes none."""
    return _WITHOUT_SLASH.sub(r"\1/", correlation_id, count=1)


def _checked(found: object) -> str:
    if isinstance(found, bool) or not isinstance(found, str | int | float) or found != found:
        kind = "nothing" if found is None else type(found).__name__
        raise CorrelationError(f"the correlation id must be text or a number, not {kind}")
    correlation_id = _with_slash(str(found))
    try:
        size = len(correlation_id.encode())
    except UnicodeEncodeError as error:
        raise CorrelationError("the correlation id isn't valid Unicode") from error
    if size > MAX_CORRELATION_ID:
        raise CorrelationError(f"the correlation id has {size} bytes, more than {MAX_CORRELATION_ID}")
    if not correlation_id.partition("/")[0]:
        raise CorrelationError("the correlation id is empty, or starts with a slash")
    return correlation_id
