"""A result: one event that the listener received. Its body is read when a test asks for it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from boto3.dynamodb.types import TypeDeserializer

from event_harness.aws.errors import message_of
from event_harness.errors import BodyError, ResultsUnavailableError, printable
from event_harness.machine.boundary import explained
from event_harness.results.order import Moment, fineness
from event_harness.system.correlation import case_id_of

_deserialize = TypeDeserializer().deserialize
T = TypeVar("T")

_MOST = 2**53  # bytes of a body, or deliveries: more is no count


class Bodies(Protocol):
    """Fetches the body of a result."""

    def fetch(self, result: "Result") -> bytes:
        """The whole body."""
        ...


@dataclass(frozen=True)
class Result:
    """One event, as the listener stored it.

    Attributes:
        correlation_id: Says which input it belongs to; None if the event carried no id.
        session_id: The test session that it belongs to; `uncorrelated` if the event carried no id.
        event_id: The identity that the source gave the event. A redelivery has the same one.
        source: Name of the source in the module's `sources`, and `source_type` its type.
        event_time: When the event happened, as the source says (UTC); None if the source gives no time.
        received_at: When the listener received the newest delivery (UTC); `first_received_at` the first one.
        deliveries: How often the listener received this one event.
        size: Bytes of the body.
        metadata: Further fields of the source: S3 bucket and key, message attributes, detail-type…
        request_id: The listener's Lambda request id.
        body_kind: `text` or `bytes` in the item, `overflow` in the overflow bucket, or `gone`.
        gone_reason: Why the listener could not read the body; None if it could.
    """

    correlation_id: str | None
    session_id: str
    event_id: str
    source: str
    source_type: str
    event_time: datetime | None
    received_at: datetime
    first_received_at: datetime
    deliveries: int
    size: int
    metadata: Mapping[str, Any]
    request_id: str | None
    body_kind: str
    gone_reason: str | None
    bodies: Bodies = field(repr=False, compare=False)
    _cache: list[bytes] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def from_item(cls, item: Mapping[str, Any], bodies: Bodies) -> "Result":
        """Make a result of an item of the table, in DynamoDB's own notation (`{"S": …}`).

        Anybody with access may have written the item, so each attribute is checked.

        Raises:
            KeyError: An attribute is missing.
            TypeError: An attribute is of another type.
            ValueError: An attribute is out of its range.
        """
        plain = {name: _deserialize(value) for name, value in item.items()}
        received_at = _time(plain["received_at"])
        metadata = json.loads(_is(str, plain.get("metadata") or "{}", "metadata"))
        return cls(
            correlation_id=_optional(str, plain, "correlation_id"),
            session_id=_is(str, plain["session_id"], "session_id"),
            event_id=_is(str, plain["event_id"], "event_id"),
            source=_is(str, plain.get("source", ""), "source"),
            source_type=_is(str, plain.get("source_type", ""), "source_type"),
            event_time=_event_time(plain.get("event_time")),
            received_at=received_at,
            first_received_at=_time(plain.get("first_received_at", plain["received_at"])),
            deliveries=_count(plain.get("deliveries", 1), "deliveries"),
            size=_count(plain.get("size", 0), "size"),
            metadata=_is(dict, metadata, "metadata"),
            request_id=_optional(str, plain, "request_id"),
            body_kind=_is(str, plain.get("body_kind", ""), "body_kind"),
            gone_reason=_optional(str, plain, "gone_reason"),
            bodies=bodies,
        )

    @property
    def case_id(self) -> str:
        """The correlation id without the session id."""
        return case_id_of(self.correlation_id or "")

    @property
    def order(self) -> Moment:
        """When the event happened, as exactly as its source says. Compare it with `<`.

        EventBridge and DynamoDB streams give whole seconds. A comparison whose answer isn't known raises
        `OrderUnknownError`.
        """
        shard = self.metadata.get("shard")
        return Moment(
            source=self.source,
            earliest=self.event_time,
            fineness=fineness(self.source_type, self.event_time),
            arrived=self.first_received_at,
            shard=f"{self.source}/{shard}" if isinstance(shard, str) else None,
            sequence=_sequence(self.metadata.get("sequence")),
            event_id=self.event_id,
        )

    @property
    @explained()
    def body(self) -> bytes:
        """The body, fetched once. IAM: dynamodb:GetItem, and s3:GetObject on the overflow bucket.

        Raises:
            BodyError: The body is gone (deleted or overwritten before the listener read it), or was changed.
            ResultsUnavailableError: The table or bucket is gone, or access is denied.
            MachineError: AWS can't be reached, or goes on refusing, as when it throttles.
        """
        if not self._cache:
            self._cache.append(self.bodies.fetch(self))
        return self._cache[0]

    @property
    def text(self) -> str:
        """The body as text.

        Raises:
            BodyError: The body isn't UTF-8, or can't be read (see `body`).
        """
        body = self.body
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BodyError(
                f"body of {self.event_id} is not UTF-8 at byte {error.start} of {len(body)};"
                " read .body for the bytes"
            ) from error

    @explained()
    def json(self) -> Any:
        """Decode the body from JSON.

        Raises:
            BodyError: The body isn't JSON, or can't be read (see `body`).
        """
        text = self.text
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise BodyError(
                f"body of {self.event_id} is not JSON"
                f" (line {error.lineno}, column {error.colno}: {error.msg});"
                " read .text for the text"
            ) from error

    def __str__(self) -> str:
        when = (self.event_time or self.first_received_at).strftime("%H:%M:%S.%f")[:-3]
        extra = f", delivered {self.deliveries} times" if self.deliveries > 1 else ""
        return printable(f"{self.source} {self.size:,} bytes at {when} ({self.event_id}{extra})")


def by_source(results: Iterable[Result], sources: Iterable[str]) -> str:
    """Say how many of the results came from each source; an empty text if there is only one source."""
    came = Counter(result.source for result in results)
    counts = [f"{name} {came[name]}" for name in {**dict.fromkeys(sources), **came}]
    return f" ({', '.join(counts)})" if len(counts) > 1 else ""


def unavailable(what: str, error: BaseException, action: str) -> ResultsUnavailableError:
    """Make the error for a store that can't be read; waiting can't fix it."""
    return ResultsUnavailableError(
        f"{what} can't be read ({message_of(error)}); is it still deployed, and have you {action} on it?"
    )


def _time(milliseconds: object) -> datetime:
    """A time in epoch milliseconds; OverflowError, OSError or ValueError if it is beyond all calendars."""
    return datetime.fromtimestamp(float(_is(Decimal, milliseconds, "a time")) / 1000, UTC)


def _event_time(milliseconds: object) -> datetime | None:
    """The time that a source gave; None if it gave none, or none of any calendar."""
    try:
        return None if milliseconds is None else _time(milliseconds)
    except (OverflowError, OSError, ValueError):
        return None


def _is(kind: type[T], value: object, name: str) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{name} is a {type(value).__name__}, not a {kind.__name__}")
    return value


def _optional(kind: type[T], plain: Mapping[str, Any], name: str) -> T | None:
    return None if plain.get(name) is None else _is(kind, plain[name], name)


def _count(value: object, name: str) -> int:
    number = value if isinstance(value, int) else int(_is(Decimal, value, name))
    if not 0 <= number <= _MOST:
        raise ValueError(f"{name} is out of range")
    return number


def _sequence(value: object) -> int:
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 100 else 0
