"""Waits until the system handles events: notifications and subscriptions may take a while after apply."""

from event_harness.errors import InputFailedError, WaitTimeoutError
from event_harness.listening.durations import seconds
from event_harness.listening.listener import Listener
from event_harness.producers.base import Producer
from event_harness.producers.bodies import Body
from event_harness.results.failures import Failure
from event_harness.results.result import Result
from event_harness.results.sent import Sent

_REMEDY = (
    "a readiness probe must be an input that the system accepts: override the fixture"
    " harness_readiness_probe for its body (None sends none), harness_producer_settings for its key, field or"
    " event source; or set harness_readiness = 0"
)
_FAILED = f"the input was a readiness probe, before the first test; if the function is right: {_REMEDY}"
FIRST, GROWTH = 5.0, 1.5
"""Seconds until the second readiness probe; each further one waits this many times as long."""


def await_ready(
    producer: Producer, listener: Listener, body: Body = "readiness probe", *, limit: float
) -> float:
    """Send readiness probes until one arrives. An event is lost if its notification wasn't live yet.

    `Listener.results` leaves out the results of readiness probes.

    Args:
        producer: Sends the probes.
        listener: Must receive one of them.
        body: The content of a probe. The system under test must accept it and make a result of it.
        limit: Seconds from now.

    Returns:
        Seconds until the first probe arrived.

    Raises:
        WaitTimeoutError: No probe arrived. The message says how far the last one came.
        InputFailedError: The system failed on the body. On an emulator, where no permission needs time to
            take effect, two readiness probes in a row that failed in a component are enough.
        ProducerError: The body can't be sent.
    """
    limit = seconds("readiness limit", limit)
    began, after = listener.clock(), listener.failures.begun
    probes: list[Sent] = []
    patience = FIRST
    failed_before = False

    def arrived() -> list[Result] | Failure | None:
        """The results of any probe, or its failure; None to look again."""
        results = [result for sent in probes for result in listener.reader.of(sent.correlation_id)]
        failures = (listener.failure_of(sent, after) for sent in probes)
        return results or next((failure for failure in failures if failure), None)

    while True:
        sent = producer.send(body)
        listener.reader.ignore(sent.correlation_id)
        probes.append(sent)
        left = began + limit - listener.clock()
        until = listener.clock() + min(patience, max(left, 0.0))
        if listener.settled(sent, arrived, until, remarks=[_FAILED], others=probes):
            return listener.clock() - began
        if listener.target.endpoint_url and patience < left:
            has_failed = _has_failed(listener, sent)
            if has_failed and failed_before:
                headline = f"the input of {producer.component.name} failed"
                raise listener.explained(InputFailedError, [headline, _FAILED], sent)
            failed_before = has_failed
        if patience >= left:
            raise listener.explained(
                WaitTimeoutError,
                [
                    f"not ready within {limit:g} s: none of {len(probes)} readiness probes sent to"
                    f" {producer.component.name} arrived",
                    _REMEDY,
                ],
                sent,
            )
        patience *= GROWTH


def _has_failed(listener: Listener, sent: Sent) -> bool:
    """Whether a component is known to have failed on an input, also if it may be tried again."""
    return any(one.state == "failed" and one.cause for one in listener.explain(sent).findings)
