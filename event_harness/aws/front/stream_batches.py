"""Lets MiniStack's mappings of streams retry, halve and give up a batch as those of Lambda do.

MiniStack 1.5.33 tries a failed batch again for ever, so one bad record holds the stream. It ignores the
number of retries, bisecting and partial batch responses; for Kinesis also the age of records and the failure
destination. `tests/integration/test_emulated_deliveries.py` fails as soon as MiniStack does all that: delete
this module then.
"""

import functools
import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ministack.services import lambda_svc, sns, sqs

from event_harness.aws.front import given_up
from event_harness.machine.clock import timestamp

Execute = Callable[[Any, Any], dict[str, Any]]
Record = Mapping[str, Any]
Mapped = dict[str, Any]
"""An event source mapping as MiniStack keeps it."""

_PARTS = {"aws:kinesis": "kinesis", "aws:dynamodb": "dynamodb"}


@dataclass(frozen=True)
class Part:
    """Records that are tried together.

    Attributes:
        numbers: their sequence numbers, in order.
        failed: how often they have failed.
    """

    numbers: tuple[str, ...]
    failed: int = 0


@dataclass
class Batch:
    """What has become of the records of a batch.

    Attributes:
        done: those that have succeeded, or that were given up.
        parts: what is to be tried, the first one next.
    """

    done: set[str] = field(default_factory=set)
    parts: list[Part] = field(default_factory=list)


class StreamBatches:
    """The batches that streams have delivered and functions have not wholly processed.

    Args:
        give_up: is told a mapping, the function, records that are given up, the condition, how often they
            were tried, and the request id of the last attempt.
        now: epoch seconds.
    """

    def __init__(
        self,
        give_up: Callable[[Mapped, Any, Sequence[Record], str, int, str], None],
        now: Callable[[], float] = timestamp,
    ) -> None:
        self._give_up = give_up
        self._now = now
        self._polled = threading.local()
        self._batches: dict[tuple[str, str], Batch] = {}

    def install(self) -> None:
        """Change MiniStack before its first mapping."""
        lambda_svc._iter_all_esms = self.noted(lambda_svc._iter_all_esms)
        lambda_svc._execute_function = self.in_parts(lambda_svc._execute_function)
        lambda_svc._execute_function_dispatch = self.remembered(lambda_svc._execute_function_dispatch)

    def noted(self, mappings: Callable[[], Iterator[Any]]) -> Callable[[], Iterator[Any]]:
        """Note the mapping that the poller looks after."""

        @functools.wraps(mappings)
        def iterate() -> Iterator[Any]:
            """Give each mapping in turn."""
            try:
                for one in mappings():
                    self._polled.mapping = one[2]
                    yield one
            finally:
                self._polled.mapping = None

        return iterate

    def remembered(self, dispatch: Callable[..., Any]) -> Callable[..., Any]:
        """Remember the id of an invocation, which a failure message tells."""

        @functools.wraps(dispatch)
        def run(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
            """Run an invocation."""
            self._polled.request_id = request_id
            return dispatch(func, config, event, request_id, started)

        return run

    def in_parts(self, execute: Execute) -> Execute:
        """Process the batches of a stream in parts; all other events pass."""

        @functools.wraps(execute)
        def executed(func: Any, event: Any) -> dict[str, Any]:
            """Invoke a function; an error means that the batch is to be delivered again."""
            mapping = getattr(self._polled, "mapping", None)
            records = event.get("Records") if isinstance(event, dict) else None
            if not mapping or not records or records[0].get("eventSource") not in _PARTS:
                return execute(func, event)
            self._polled.mapping = None  # the function may be invoked by way of this one
            try:
                return self._process(mapping, func, records, execute)
            finally:
                self._polled.mapping = mapping

        return executed

    def _process(
        self, mapping: Mapped, func: Any, records: Sequence[Record], execute: Execute
    ) -> dict[str, Any]:
        by_number = {_number(one): one for one in records}
        key = (str(mapping.get("UUID")), _shard(records[0]))
        batch = self._batches.setdefault(key, Batch())
        result: dict[str, Any] = {"body": None, "log": ""}
        while part := self._next(batch, tuple(by_number)):
            asked = [by_number[number] for number in part.numbers]
            result = execute(func, {"Records": asked})
            at = _failed_from(mapping, result, part.numbers)
            if at is None:
                batch.done.update(part.numbers)
                batch.parts.pop(0)
                continue
            batch.done.update(part.numbers[:at])
            left = replace(part, numbers=part.numbers[at:])
            if again := self._after_failure(mapping, func, batch, left, asked[at:], result):
                return again
        del self._batches[key]
        return {**result, "error": False}

    def _next(self, batch: Batch, numbers: tuple[str, ...]) -> Part | None:
        """The part that is tried next; records that have come since wait for those before them."""
        held = set(numbers)
        batch.parts = [
            replace(part, numbers=kept)
            for part in batch.parts
            if (kept := tuple(one for one in part.numbers if one in held))
        ]
        fresh = tuple(one for one in numbers if one not in batch.done)
        if not batch.parts and fresh:
            batch.parts = [Part(fresh)]
        return batch.parts[0] if batch.parts else None

    def _after_failure(
        self,
        mapping: Mapped,
        func: Any,
        batch: Batch,
        part: Part,
        records: Sequence[Record],
        result: dict[str, Any],
    ) -> dict[str, Any] | None:
        """Halve, give up or keep a part that has failed; what the poller is told if it shall try it again."""
        batch.parts.pop(0)
        if result.get("throttle"):  # no attempt of the function
            batch.parts.insert(0, part)
            return result
        if mapping.get("BisectBatchOnFunctionError") and len(part.numbers) > 1:  # costs no attempt
            middle = len(part.numbers) // 2
            halves = (part.numbers[:middle], part.numbers[middle:])
            batch.parts[:0] = [replace(part, numbers=half) for half in halves]
            return None
        part = replace(part, failed=part.failed + 1)
        condition = self._why_given_up(mapping, part, records)
        if condition is None:
            batch.parts.insert(0, part)
            return {**result, "error": True, "body": result.get("body") if result.get("error") else _PARTIAL}
        batch.done.update(part.numbers)
        request = str(getattr(self._polled, "request_id", "") or uuid.uuid4())
        self._give_up(mapping, func, records, condition, part.failed, request)
        return None

    def _why_given_up(self, mapping: Mapped, part: Part, records: Sequence[Record]) -> str | None:
        retries, age = (
            _whole(mapping.get("MaximumRetryAttempts")),
            _whole(mapping.get("MaximumRecordAgeInSeconds")),
        )
        if retries >= 0 and part.failed > retries:
            return "RetryAttemptsExhausted"
        if age > 0 and self._now() - min(map(_arrived, records)) > age:
            return "MaximumRecordAgeExceeded"
        return None


_PARTIAL = {"errorType": "BatchItemFailures", "errorMessage": "the function returned batchItemFailures"}


def _failed_from(mapping: Mapped, result: Mapping[str, Any], numbers: Sequence[str]) -> int | None:
    """The place of the first record that has failed; None if all went well."""
    if result.get("error"):
        return 0
    body = result.get("body")
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or ()) or not isinstance(
        body, dict
    ):
        return None
    failures = body.get("batchItemFailures")
    if not failures:
        return None
    named = [str(one.get("itemIdentifier")) for one in failures if isinstance(one, dict)]
    # A record that isn't in the batch makes the whole batch fail.
    return min(map(numbers.index, named)) if named and set(named) <= set(numbers) else 0


def _number(record: Record) -> str:
    part = record[_PARTS[record["eventSource"]]]
    return str(part.get("sequenceNumber") or part.get("SequenceNumber"))


def _shard(record: Record) -> str:
    if record["eventSource"] == "aws:kinesis":
        return str(record["eventID"]).partition(":")[0]
    return "shardId-00000000000000000000-00000000"


def _arrived(record: Record) -> float:
    """Epoch seconds."""
    part = record[_PARTS[record["eventSource"]]]
    return float(
        part.get("approximateArrivalTimestamp") or part.get("ApproximateCreationDateTime") or timestamp()
    )


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float | str) and str(value).lstrip("-").isdigit() else -1


def failure_message(
    mapping: Mapped, func: Any, records: Sequence[Record], condition: str, attempts: int, request_id: str
) -> dict[str, Any]:
    """What Lambda sends to the failure destination of a mapping: the position of records, not the records."""
    first, last = records[0], records[-1]
    kinesis = first["eventSource"] == "aws:kinesis"
    config = func.get("config") or func
    return {
        "requestContext": {
            "requestId": request_id,
            "functionArn": config.get("FunctionArn", ""),
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": config.get("Version", "$LATEST"),
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": _time(timestamp()),
        "KinesisBatchInfo" if kinesis else "DDBStreamBatchInfo": {
            "shardId": _shard(first),
            "startSequenceNumber": _number(first),
            "endSequenceNumber": _number(last),
            "approximateArrivalOfFirstRecord": _time(_arrived(first)),
            "approximateArrivalOfLastRecord": _time(_arrived(last)),
            "batchSize": len(records),
            "streamArn": str(mapping.get("EventSourceArn")),
        },
    }


def send_failure(
    mapping: Mapped, func: Any, records: Sequence[Record], condition: str, attempts: int, request_id: str
) -> None:
    """Send records that are given up to the mapping's failure destination, if it has one."""
    destination = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    body = json.dumps(failure_message(mapping, func, records, condition, attempts, request_id))
    if not destination:
        given_up.tell(func, {"Records": list(records)}, attempts)
        return
    if ":sns:" in destination:
        sns._fanout(destination, str(uuid.uuid4()), body, "Lambda ESM failure", "", {})
        return
    queue = sqs._queue_by_arn(destination)
    if queue is None:
        return
    now = timestamp()
    message = {
        "id": str(uuid.uuid4()),
        "body": body,
        "receipt_handle": None,
        "sent_at": now,
        "visible_at": now + sqs.queue_delay(queue),
        "receive_count": 0,
    }
    sqs._ensure_msg_fields(message)
    queue["messages"].append(message)
    lambda_svc.esm_wake.set()


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
