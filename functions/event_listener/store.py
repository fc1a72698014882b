"""Writes the results table: one item per event. Several events take one call, which is atomic."""

import hashlib
import json
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bodies import Overflow
from botocore.exceptions import BotoCoreError, ClientError
from correlation import Correlation
from records import Gone, Record
from settings import Source

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MAX_METADATA = 32 * 1024  # bytes of JSON; the item and its index entry both hold them
LONG_TEXT = 512  # characters
# DynamoDB's limits for one transaction; 4 MB is the limit of the bytes, and an estimate must stay below it.
MOST_TOGETHER, MOST_BYTES = 100, 3 * 1024 * 1024


class Store:
    """Writes results.

    IAM: `dynamodb:UpdateItem` on the table; `dynamodb:PutItem` makes batches quicker.

    Args:
        dynamodb: The client.
        table: Name of the results table.
        ttl: Seconds that a result is kept.
        shards: Number of partition keys that each test session is spread over.
        clock: Epoch seconds.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        table: str,
        ttl: int,
        clock: Callable[[], float] = time.time,
        *,
        shards: int = 1,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._ttl = ttl
        self._clock = clock
        self._shards = shards

    def write(
        self,
        source: Source,
        record: Record,
        correlation: Correlation,
        body: bytes | Overflow | Gone,
        request_id: str,
    ) -> "Write":
        """Prepare the write of a result.

        A redelivery writes it again: it renews `received_at` and adds to `deliveries`. If the object is gone
        by the time of a redelivery, the body that an earlier delivery stored is kept.
        """
        metadata = record.metadata | {"correlation_error": correlation.error}
        update = _Update()
        update.set("correlation_id", correlation.correlation_id)
        update.set("source", source.name)
        update.set("source_type", record.source_type)
        update.set("event_time", record.event_time)
        update.set(
            "metadata", bounded_json({name: value for name, value in metadata.items() if value is not None})
        )
        update.set("request_id", request_id)
        match body:
            case Gone():
                update.set("body_kind", "gone", keep=True)
                update.set("size", body.size, keep=True)
                update.set("gone_reason", body.reason)  # has no meaning with another body_kind
            case Overflow():
                update.set("body_kind", "overflow")
                update.set("size", body.size)
                update.set(
                    "overflow",
                    {"bucket": body.bucket, "key": body.key, "size": body.size, "sha256": body.sha256},
                )
                update.remove("body", "gone_reason")
            case bytes():
                text = _text(body)
                update.set("body_kind", "bytes" if text is None else "text")
                update.set("size", len(body))
                update.set("body", body if text is None else text)
                update.remove("overflow", "gone_reason")
        return Write((partition_key(correlation, self._shards), correlation.event_id), update)

    def save(self, write: "Write") -> None:
        """Write one result.

        Raises:
            ClientError: DynamoDB refused the call.
        """
        self._dynamodb.update_item(**self._arguments(write))

    def save_together(self, writes: Sequence["Write"]) -> bool:
        """Write several results in one call, all or none. `Together` says how many.

        Nearly all results are new, so they are put: DynamoDB need not work out expressions. If one of them is
        there already, since its event comes again, all are updated.

        Returns:
            Whether they are stored. If they aren't, write each of them alone to learn which one is refused.
        """
        if len(writes) < 2:
            return False
        new: list[Any] = [{"Put": self._item(write)} for write in writes]
        return self._written(new) or self._written([{"Update": self._arguments(write)} for write in writes])

    def _written(self, actions: list[Any]) -> bool:
        try:
            self._dynamodb.transact_write_items(TransactItems=actions)
        except (BotoCoreError, ClientError):
            return False
        return True

    def _item(self, write: "Write") -> dict[str, Any]:
        """Return the arguments of a PutItem that is called now, of an item that isn't there yet."""
        self._stamp(write)
        return {
            "TableName": self._table,
            "Item": write.typed_key | write.update.item(adding="deliveries"),
            "ConditionExpression": "attribute_not_exists(event_id)",
        }

    def _stamp(self, write: "Write") -> None:
        now = self._clock()
        write.update.set("received_at", int(now * 1000))
        write.update.set("first_received_at", int(now * 1000), keep=True)
        write.update.set("expires_at", int(now) + self._ttl)

    def _arguments(self, write: "Write") -> dict[str, Any]:
        """Return the arguments of an UpdateItem that is called now."""
        self._stamp(write)
        return {
            "TableName": self._table,
            "Key": write.typed_key,
            **write.update.arguments(adding="deliveries"),
        }


class Together:
    """Results that can be written in one call: a limited number, each item once, of limited size."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()
        self._bytes = 0

    def takes(self, write: "Write") -> bool:
        """Add one more result if it fits; return whether it does."""
        size = write.update.size
        full = len(self._keys) >= MOST_TOGETHER or self._bytes + size > MOST_BYTES
        if full or write.key in self._keys:
            return False
        self._keys.add(write.key)
        self._bytes += size
        return True


def partition_key(correlation: Correlation, shards: int) -> str:
    """Return the partition key of a result: its session id, with a shard if a session has several.

    The harness computes the same key (`event_harness/results/shards.py`).
    """
    if shards == 1:
        return correlation.session_id
    return f"{correlation.session_id}#{zlib.crc32(correlation.event_id.encode()) % shards}"


def bounded_json(metadata: dict[str, Any]) -> str:
    """Return metadata as JSON (ASCII) of limited size. A value that was cut names its size and SHA-256.

    Long texts are cut first, at any depth. If that isn't enough, the largest top-level values are cut.
    """
    whole = json.dumps(metadata)
    if len(whole) <= MAX_METADATA:
        return whole
    bounded = {name: _shortened(value) for name, value in metadata.items()}
    while len(result := json.dumps(bounded)) > MAX_METADATA:
        largest = max(bounded, key=lambda name: len(json.dumps(bounded[name])))
        bounded[largest] = _marked(json.dumps(metadata[largest]))
    return result


def _shortened(value: Any) -> Any:
    match value:
        case str() if len(value) > LONG_TEXT:
            return _marked(value)
        case list():
            return [_shortened(item) for item in value]
        case dict():
            return {name: _shortened(item) for name, item in value.items()}
    return value


def _marked(text: str) -> str:
    encoded = text.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(encoded).hexdigest()
    return f"{text[: LONG_TEXT // 2]}… (cut: {len(encoded)} bytes, sha256 {digest})"


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


class _Update:
    """The arguments of one UpdateItem, or the item that it makes.

    Each name has an alias: `size` and `source` are reserved words.
    """

    def __init__(self) -> None:
        self._set: dict[str, str] = {}  # name -> its part of the expression
        self._remove: list[str] = []
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    @property
    def size(self) -> int:
        """About how many bytes it has, rather more than less: a character may take several."""
        return 1024 + sum(2 * len(value.get("S", value.get("B", ""))) for value in self._values.values())

    def set(self, name: str, value: object, *, keep: bool = False) -> None:
        """Set an attribute, unless the value is None. With `keep`, set it only if it isn't there yet."""
        if value is None:
            return
        self._names[f"#{name}"] = name
        self._values[f":{name}"] = _typed(value)
        self._set[name] = f"#{name} = if_not_exists(#{name}, :{name})" if keep else f"#{name} = :{name}"

    def remove(self, *names: str) -> None:
        """Remove attributes."""
        self._names |= {f"#{name}": name for name in names}
        self._remove += [f"#{name}" for name in names]

    def item(self, *, adding: str) -> dict[str, Any]:
        """Return the attributes of an item that wasn't there before. The counter `adding` is one."""
        return {alias[1:]: value for alias, value in self._values.items()} | {adding: {"N": "1"}}

    def arguments(self, *, adding: str) -> dict[str, Any]:
        """Return the arguments. They also add one to the counter `adding`."""
        remove = f" REMOVE {', '.join(self._remove)}" if self._remove else ""
        return {
            "UpdateExpression": f"SET {', '.join(self._set.values())}{remove} ADD #{adding} :one",
            "ExpressionAttributeNames": {**self._names, f"#{adding}": adding},
            "ExpressionAttributeValues": {**self._values, ":one": {"N": "1"}},
        }


@dataclass
class Write:
    """One result that is to be written.

    Attributes:
        key: Its partition key and its sort key.
        update: Its attributes.
    """

    key: tuple[str, str]
    update: _Update

    @property
    def typed_key(self) -> dict[str, Any]:
        """Its key as DynamoDB takes it."""
        session_id, event_id = self.key
        return {"session_id": {"S": session_id}, "event_id": {"S": event_id}}


def _typed(value: object) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case int():
            return {"N": str(value)}
        case dict():
            return {"M": {name: _typed(item) for name, item in value.items() if item is not None}}
    raise TypeError(f"an item of the results table can't hold a {type(value).__name__}")
