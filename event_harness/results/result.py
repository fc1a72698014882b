"""A result: one event that the listener received. Its body is read when a test asks for it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from boto3.dynamodb.types import TypeDeserializer

from event_harness.aws.errors import AWS_ERRORS, can_heal, code_of, message_of
from event_harness.errors import BodyError, ResultsUnavailableError
from event_harness.system.correlation import case_id_of
from event_harness.system.resources import Results

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

_deserialize = TypeDeserializer().deserialize


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
        """Make a result of an item of the table, in DynamoDB's own notation (`{"S": …}`)."""
        plain = {name: _deserialize(value) for name, value in item.items()}
        received_at = _time(plain["received_at"])
        return cls(
            correlation_id=plain.get("correlation_id"),
            session_id=plain["session_id"],
            event_id=plain["event_id"],
            source=plain.get("source", ""),
            source_type=plain.get("source_type", ""),
            event_time=_time(plain["event_time"]) if plain.get("event_time") is not None else None,
            received_at=received_at,
            first_received_at=_time(plain.get("first_received_at", plain["received_at"])),
            deliveries=int(plain.get("deliveries", 1)),
            size=int(plain.get("size", 0)),
            metadata=json.loads(plain.get("metadata") or "{}"),
            request_id=plain.get("request_id"),
            body_kind=plain.get("body_kind", ""),
            gone_reason=plain.get("gone_reason"),
            bodies=bodies,
        )

    @property
    def case_id(self) -> str:
        """The correlation id without the session id."""
        return case_id_of(self.correlation_id or "")

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """Sorts results by event time; where the source gives none, by arrival."""
        return (self.event_time or self.first_received_at, self.first_received_at, self.event_id)

    @property
    def body(self) -> bytes:
        """The body, fetched once. IAM: dynamodb:GetItem, and s3:GetObject on the overflow bucket.

        Raises:
            BodyError: The body is gone (deleted or overwritten before the listener read it), or was changed.
            ResultsUnavailableError: The table or bucket is gone, or access is denied.
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
        return f"{self.source} {self.size:,} bytes at {when} ({self.event_id}{extra})"


class BodyStore:
    """Fetches bodies from the table, and large ones from the overflow bucket. It checks their checksums."""

    def __init__(self, results: Results, dynamodb: "DynamoDBClient", s3: "S3Client") -> None:
        self._results = results
        self._dynamodb = dynamodb
        self._s3 = s3

    def fetch(self, result: Result) -> bytes:
        """See `Result.body`."""
        if result.body_kind == "gone":
            raise _gone(result)
        item = self._item(result)
        kind = item.get("body_kind", "")
        if kind == "gone":
            raise _gone(result)
        if kind == "overflow":
            return self._overflow(result, item["overflow"])
        body = item.get("body", "")
        return body.encode() if isinstance(body, str) else bytes(body)

    def _item(self, result: Result) -> dict[str, Any]:
        try:
            answer = self._dynamodb.get_item(
                TableName=self._results.table,
                Key={"session_id": {"S": result.session_id}, "event_id": {"S": result.event_id}},
                ConsistentRead=True,
                ProjectionExpression="#body, #kind, #overflow",
                ExpressionAttributeNames={"#body": "body", "#kind": "body_kind", "#overflow": "overflow"},
            )
        except AWS_ERRORS as error:
            if can_heal(error):
                raise
            raise unavailable(f"results table {self._results.table}", error, "dynamodb:GetItem") from error
        if "Item" not in answer:
            raise BodyError(
                f"body of {result.event_id} is gone: its item expired or was deleted;"
                " give results a longer life"
            )
        return {name: _deserialize(value) for name, value in answer["Item"].items()}

    def _overflow(self, result: Result, claim: Mapping[str, Any]) -> bytes:
        bucket, key = claim["bucket"], claim["key"]
        where = f"s3://{bucket}/{key}"
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
            body = answer["Body"].read()
        except AWS_ERRORS as error:
            if can_heal(error):
                raise
            if code_of(error) in ("NoSuchKey", "404"):
                raise BodyError(
                    f"body of {result.event_id} is gone from {where}; its bucket's lifecycle may be too short"
                ) from error
            raise unavailable(f"overflow bucket {bucket}", error, "s3:GetObject") from error
        size = int(claim.get("size", len(body)))
        wanted, etag = claim.get("sha256"), str(claim.get("etag") or "").strip('"')
        if len(body) != size:
            raise BodyError(
                f"body of {result.event_id} has {len(body):,} bytes in {where}, {size:,} were stored"
            )
        if wanted:
            wrong = hashlib.sha256(body).hexdigest() != str(wanted).lower()
        else:
            wrong = bool(etag) and answer.get("ETag", "").strip('"') != etag
        if wrong:
            raise BodyError(f"body of {result.event_id} in {where} was changed since: its checksum is wrong")
        return body


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


def _gone(result: Result) -> BodyError:
    reason = result.gone_reason or "gone"
    where = result.metadata.get("key") or result.event_id
    return BodyError(f"body of {where} is gone: the object was {reason} before the listener could read it")


def _time(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)
