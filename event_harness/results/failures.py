"""Reads failure queues: on-failure destinations and dead-letter queues. It deletes nothing."""

import base64
import binascii
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from event_harness.aws.errors import AWS_ERRORS

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

_HIDDEN = 10  # seconds that a message stays hidden if this process dies before it returns the message
_MOST = 100  # receives per queue and look: a thousand messages


@dataclass(frozen=True)
class Failure:
    """One message of a failure queue.

    Attributes:
        component: Name of the component whose function failed.
        queue_url: The queue it lies in, `message_id` its id there.
        failed_at: Time of its arrival in the queue (UTC).
        condition: The reason why AWS gave up: `RetriesExhausted`, `EventAgeExceeded`; None if not told.
        attempts: Number of invocations.
        error_type: Type of the exception, and `error_message` its text.
        request_id: The Lambda request id of the failed invocation.
        event: The whole event that the function could not handle.
    """

    component: str
    queue_url: str
    message_id: str
    failed_at: datetime | None
    condition: str | None
    attempts: int | None
    error_type: str | None
    error_message: str | None
    request_id: str | None
    event: Any = field(repr=False)
    _texts: frozenset[str] = field(repr=False, compare=False, default=frozenset())

    def concerns(self, correlation_id: str) -> bool:
        """Whether the event carries this id: as a whole value, or in a key with an extension after it."""
        return bool(correlation_id) and any(_carries(text, correlation_id) for text in self._texts)

    def __str__(self) -> str:
        what = ": ".join(part for part in (self.error_type, self.error_message) if part) or "no error given"
        tries = f" after {self.attempts} attempt{'s' * (self.attempts != 1)}" if self.attempts else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.component} failed{tries}: {' '.join(what.split())}{request}"


class FailureReader:
    """Looks into the failure queues. It returns each message at once and never deletes one.

    Other readers can't see a message for that moment. IAM: sqs:ReceiveMessage, sqs:ChangeMessageVisibility.

    Args:
        queues: URL -> name of the component that fails into it.
        client: An SQS client.
        wait: Seconds that SQS may wait for messages of each queue. From 1 on SQS asks all its servers. With 0
            it asks a few and may miss a message, which a later look sees. 0 is right for repeated looks: with
            several empty queues, 1 would take longer than an explanation may.
    """

    def __init__(self, queues: Mapping[str, str], client: "SQSClient", *, wait: int = 0) -> None:
        self.queues = dict(queues)
        self.looks = self.begun = 0
        self.errors: dict[str, Exception] = {}  # queue url -> why its last look failed
        self._client = client
        self._wait = wait
        self._lock = threading.Lock()
        # message id -> failure, number of the latest look that saw it
        self._seen: dict[str, tuple[Failure, int]] = {}

    def look(self) -> list[Failure]:
        """Look into every queue, one thread at a time. Returns the messages not seen before."""
        with self._lock:
            self.begun += 1
            new = []
            for url, component in self.queues.items():
                self.errors.pop(url, None)
                try:
                    for message in self._peek(url):
                        failure = parse(message, url, component)
                        if failure.message_id not in self._seen:
                            new.append(failure)
                        self._seen[failure.message_id] = (failure, self.begun)
                except AWS_ERRORS as error:
                    self.errors[url] = error
            self.looks += 1
            return new

    def of(self, correlation_id: str, after: int = 0) -> list[Failure]:
        """Failures of this input, seen by looks after number `after`. A redriven one is not among them."""
        return [failure for failure in self.all(after) if failure.concerns(correlation_id)]

    def all(self, after: int = 0) -> list[Failure]:
        """Every failure that a look after number `after` saw."""
        return [failure for failure, seen in list(self._seen.values()) if seen > after]

    def _peek(self, url: str) -> Iterator["MessageTypeDef"]:
        received: list[MessageTypeDef] = []
        try:
            for _ in range(_MOST):
                messages = self._client.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=10,
                    VisibilityTimeout=_HIDDEN,
                    WaitTimeSeconds=self._wait,
                    MessageSystemAttributeNames=["SentTimestamp"],
                    MessageAttributeNames=["All"],
                ).get("Messages", [])
                if not messages:
                    break
                received += messages
                yield from messages
        finally:
            for start in range(0, len(received), 10):
                self._client.change_message_visibility_batch(
                    QueueUrl=url,
                    Entries=[
                        {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                        for n, message in enumerate(received[start : start + 10])
                    ],
                )


def parse(message: "MessageTypeDef", url: str, component: str) -> Failure:
    """Make a failure of a message: the envelope of a destination, or the bare event of a redrive policy."""
    content = _decoded(message.get("Body", ""))
    envelope = content if isinstance(content, dict) and "requestContext" in content else None
    context: dict[str, Any] = envelope["requestContext"] if envelope else {}
    response = (envelope or {}).get("responsePayload")
    response = response if isinstance(response, dict) else {}
    attributes = {
        name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()
    }
    event = envelope.get("requestPayload") if envelope else content
    sent = message.get("Attributes", {}).get("SentTimestamp")
    return Failure(
        component=component,
        queue_url=url,
        message_id=message["MessageId"],
        failed_at=datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None,
        condition=context.get("condition"),
        attempts=context.get("approximateInvokeCount"),
        error_type=response.get("errorType") or attributes.get("ErrorCode"),
        error_message=response.get("errorMessage") or attributes.get("ErrorMessage"),
        request_id=context.get("requestId") or attributes.get("RequestID"),
        event=event,
        _texts=frozenset(_texts([event, attributes])),
    )


def _carries(text: str, correlation_id: str) -> bool:
    """Text before the id doesn't matter: the session id is unique. A longer id is another input's."""
    _, found, rest = text.rpartition(correlation_id)
    return bool(found) and (not rest or (rest.startswith(".") and "/" not in rest))


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in an event: as it is, URL-decoded (S3 keys), inside nested JSON and base64 (Kinesis)."""
    if depth > 20:
        return
    if isinstance(value, Mapping):
        if "data" in value and "partitionKey" in value:
            yield from _texts(_unpacked(value["data"]), depth + 1)
        for item in value.values():
            yield from _texts(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)
    elif isinstance(value, str):
        yield value
        yield unquote_plus(value)
        nested = _decoded(value) if value[:1] in ("{", "[") else value
        if nested is not value:
            yield from _texts(nested, depth + 1)


def _unpacked(data: object) -> str:
    try:
        return base64.b64decode(str(data), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
