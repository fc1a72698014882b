"""Sends messages to queues and topics."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ulid import ULID

from event_harness.aws.targets import Target
from event_harness.errors import ProducerError
from event_harness.producers.base import NOW, Accepted, Producer
from event_harness.producers.bodies import Body, for_filters, text_of, with_field
from event_harness.producers.inflight import InFlight
from event_harness.results.sent import Sent
from event_harness.system.resources import Component

_ID_LIMIT = 8192  # bytes; the listener refuses longer ids
Attributes = Mapping[str, str | int | float | bytes]


class MessageProducer(Producer):
    """Sends messages with the correlation id in a message attribute, in a field of a JSON body, or in both.

    Args:
        component: The queue or topic.
        target: Makes the AWS client.
        session_id: The test session that the inputs belong to.
        attribute: Name of the message attribute that carries the correlation id; None for none.
        field: Field of the JSON body that carries it (`order.id`: names joined by dots); None for none.
        group_id: Message group of all inputs in a FIFO queue or topic, which keeps their order. By default
            each input has its own group: then a message that fails blocks no other input.
        inflight: Limits how many inputs are in flight; None for no limit.
        now: Epoch seconds.
    """

    limit = 1024 * 1024
    remedy = "put the body into S3 and send where it is"

    def __init__(
        self,
        component: Component,
        target: Target,
        session_id: str,
        *,
        attribute: str | None = "correlation_id",
        field: str | None = None,
        group_id: str | None = None,
        inflight: InFlight | None = None,
        now: Callable[[], float] = NOW,
    ) -> None:
        super().__init__(component, target, session_id, inflight=inflight, now=now)
        if not attribute and not field:
            raise ProducerError(f"{type(self).__name__}: give an attribute or a field for the correlation id")
        self.attribute = attribute
        self.field = field
        self.group_id = group_id

    @property
    def _fifo(self) -> bool:
        return self.component.identifier.endswith(".fifo")

    def send(
        self,
        body: Body,
        *,
        correlation_id: str | None = None,
        attributes: Attributes | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        raw: bool = False,
    ) -> Sent:
        """Send one message.

        Args:
            body: Text, UTF-8 bytes, or a value that JSON can hold.
            correlation_id: Your own id. The session id is put before it unless it is there already.
            attributes: Further message attributes: text, numbers or bytes.
            group_id: Message group in a FIFO queue or topic, instead of the producer's.
            deduplication_id: Of a FIFO queue or topic; by default each message has a fresh one.
            raw: Send the body exactly as it is, without the correlation id in `field`. So a test can send
                malformed input. If no `attribute` carries the id either, no result can be found; a failure is
                found by the id that the service gives the message.

        Raises:
            ProducerError: The body is too large, empty or not text; the queue or topic is missing; no access…
        """
        correlation_id = self._new_id(correlation_id, _ID_LIMIT)
        if self.field and not raw:
            body = with_field(body, self.field, correlation_id, self.type)
        all_attributes = dict(attributes or {})
        if self.attribute:
            if self.attribute in all_attributes:
                raise ProducerError(
                    f"{self.type}: attribute {self.attribute!r} carries the correlation id;"
                    " pass it as correlation_id"
                )
            all_attributes[self.attribute] = correlation_id
        text = text_of(body, self.type)
        arguments: dict[str, Any] = {
            "MessageAttributes": {name: _attribute(name, value) for name, value in all_attributes.items()}
        }
        if self._fifo:
            arguments |= {
                "MessageGroupId": group_id or self.group_id or _group_of(correlation_id),
                "MessageDeduplicationId": deduplication_id or str(ULID()),
            }
        sent = self._deliver(
            correlation_id, text.encode(), self.component.identifier, lambda: self._call(text, arguments)
        )
        value = for_filters(text)
        filtered: dict[str, Mapping[str, Any]] = {"attributes": all_attributes}
        if value is not None:
            filtered["record"] = {"body": value, "messageAttributes": all_attributes}
        if isinstance(value, Mapping):
            filtered["body"] = value
        return replace(sent, filtered=filtered)

    def _call(self, text: str, arguments: Mapping[str, Any]) -> Accepted:
        """Send a message."""
        raise NotImplementedError


class SqsProducer(MessageProducer):
    """Sends messages to a queue. IAM: sqs:SendMessage."""

    type = service = "sqs"

    def _call(self, text: str, arguments: Mapping[str, Any]) -> Accepted:
        queue = self.component.identifier
        answer = self._client.send_message(QueueUrl=queue, MessageBody=text, **arguments)
        return Accepted(answer.get("MessageId"))


class SnsProducer(MessageProducer):
    """Publishes messages to a topic. IAM: sns:Publish.

    SNS takes 256 KiB by default, and up to 1 MiB where the topic's MaximumMessageSize says so.
    """

    type = service = "sns"

    def _call(self, text: str, arguments: Mapping[str, Any]) -> Accepted:
        answer = self._client.publish(TopicArn=self.component.identifier, Message=text, **arguments)
        return Accepted(answer.get("MessageId"))


def _group_of(correlation_id: str) -> str:
    """A message group of one input: any id makes one, and always the same."""
    return hashlib.sha256(correlation_id.encode()).hexdigest()


def _attribute(name: str, value: str | float | bytes) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"DataType": "Binary", "BinaryValue": value}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"DataType": "Number", "StringValue": str(value)}
    if isinstance(value, str) and value:
        return {"DataType": "String", "StringValue": value}
    raise ProducerError(
        f"message attribute {name!r} is {value!r}: must be a text that isn't empty, a number, or bytes"
    )
