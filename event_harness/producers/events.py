"""Sends events to an EventBridge bus."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from event_harness.aws.targets import Target
from event_harness.errors import ProducerError
from event_harness.producers.base import NOW, Accepted, Producer
from event_harness.producers.bodies import Body, encoded, for_filters, json_object, with_field
from event_harness.producers.inflight import InFlight
from event_harness.results.sent import Sent
from event_harness.system.resources import Component


class EventBridgeProducer(Producer):
    """Puts events whose detail carries the correlation id. IAM: events:PutEvents.

    Args:
        component: The bus.
        target: Makes the AWS client.
        session_id: The test session that the inputs belong to.
        field: Field of the detail that carries the correlation id (`order.id`: names joined by dots).
        source: `source` of the events; rules match on it.
        detail_type: `detail-type` of the events.
        inflight: Limits how many inputs are in flight; None for no limit.
        now: Epoch seconds.
    """

    type = "eventbridge"
    service = "events"
    limit = 1024 * 1024
    remedy = "put the body into S3 and send where it is"

    def __init__(
        self,
        component: Component,
        target: Target,
        session_id: str,
        *,
        field: str = "correlation_id",
        source: str = "event-harness",
        detail_type: str = "test",
        inflight: InFlight | None = None,
        now: Callable[[], float] = NOW,
    ) -> None:
        super().__init__(component, target, session_id, inflight=inflight, now=now)
        self.field = field
        self.source = source
        self.detail_type = detail_type

    def send(
        self,
        body: Body,
        *,
        correlation_id: str | None = None,
        source: str | None = None,
        detail_type: str | None = None,
        raw: bool = False,
    ) -> Sent:
        """Put one event.

        Args:
            body: The detail, a JSON object. The correlation id is added to it.
            correlation_id: Your own id. The session id is put before it unless it is there already.
            source: Instead of the producer's.
            detail_type: Instead of the producer's.
            raw: Send the detail without the correlation id. Then no result can be found; a failure is found
                by the id that the bus gives the event.

        Raises:
            ProducerError: The detail isn't a JSON object or is too large, the bus is missing, no access…
        """
        correlation_id = self._new_id(correlation_id)
        if raw:
            detail = json_object(body, self.type)
        else:
            detail = with_field(body, self.field, correlation_id, self.type)
        entry = {
            "EventBusName": self.component.identifier,
            "Source": source or self.source,
            "DetailType": detail_type or self.detail_type,
            "Detail": encoded(detail).decode(),
        }
        where = f"bus {self.component.identifier} ({entry['Source']}, {entry['DetailType']})"
        sent = self._deliver(correlation_id, entry["Detail"].encode(), where, lambda: self._put(entry, where))
        detail = for_filters(entry["Detail"])
        if detail is None:
            return sent
        event = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail}
        return replace(sent, filtered={"event": event})

    def _put(self, entry: dict[str, Any], where: str) -> Accepted:
        answer = self._client.put_events(Entries=[entry])
        # The call succeeds even if the bus refuses the entry.
        for refused in (item for item in answer.get("Entries", []) if item.get("ErrorCode")):
            raise ProducerError(
                f"{where}: could not be sent: {refused['ErrorCode']}:"
                f" {refused.get('ErrorMessage', '')}{self._hint()}"
            )
        given = [str(item["EventId"]) for item in answer.get("Entries", []) if item.get("EventId")]
        return Accepted(given[0] if given else None)
