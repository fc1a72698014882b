"""Is the way through the system live yet? Notifications and subscriptions may take a while after apply."""

from event_harness.errors import InputFailedError, WaitTimeoutError
from event_harness.listening.listener import Listener
from event_harness.listening.waiting import seconds
from event_harness.producers.base import Producer
from event_harness.producers.bodies import Body
from event_harness.results.failures import Failure
from event_harness.results.result import Result
from event_harness.results.sent import Sent

_REMEDY = (
    "a canary must be an input that the system accepts: override the fixture harness_canary for its body"
    " (None sends none), harness_producer_settings for its key or field; or set harness_readiness = 0"
)
FIRST, GROWTH = 5.0, 1.5
"""Seconds until a second canary follows the first, and by how much longer each further one is given."""


def await_ready(producer: Producer, listener: Listener, body: Body = "canary", *, limit: float) -> float:
    """Send canaries until one arrives; what was sent before a notification is live never will.

    Canaries are no results of the run: `Listener.results` leaves them out.

    Args:
        producer: Where to send.
        listener: Who must see it.
        body: What to send; something that the system under test accepts and makes a result of.
        limit: Seconds from now.

    Returns:
        Seconds until the first arrived.

    Raises:
        WaitTimeoutError: None arrived; the message says how far the last one came.
        InputFailedError: The system can't handle the body.
        ProducerError: It can't be sent.
    """
    limit = seconds("readiness limit", limit)
    began, after = listener.clock(), listener.failures.begun
    canaries: list[Sent] = []
    patience = FIRST

    def arrived() -> list[Result] | Failure | None:
        results = [result for sent in canaries for result in listener.reader.of(sent.correlation_id)]
        failures = (listener.failure_of(sent, after) for sent in canaries)
        return results or next((failure for failure in failures if failure), None)

    while True:
        sent = producer.send(body)
        listener.reader.ignore(sent.correlation_id)
        canaries.append(sent)
        left = began + limit - listener.clock()
        try:
            ready = listener.settled(sent, arrived, listener.clock() + min(patience, max(left, 0.0)))
        except InputFailedError as error:
            told = InputFailedError(f"the readiness canary failed; {_REMEDY}\n  {error}")
            told.report = error.report
            raise told from error
        if ready:
            return listener.clock() - began
        if patience >= left:
            raise listener.explained(
                WaitTimeoutError,
                [
                    f"not ready within {limit:g} s: of {len(canaries)} canaries sent to"
                    f" {producer.station.name} none came through",
                    _REMEDY,
                ],
                sent,
            )
        patience *= GROWTH
