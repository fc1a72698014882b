"""The timeline of one event: when it was sent, where it has been, and when its results came.

Each time comes from a record of it: the send, a function's log, the source's own stamp, the results table.
What no record tells is None and stays open; nothing is interpolated.
"""

from dataclasses import dataclass
from typing import Any, Literal

from event_harness.results.failure import Failure

State = Literal["arrived", "failed", "missing", "in flight", "none came"]
"""How an event fared.

`arrived`: a result of it came. `failed`: a function gave up on it, or a failure queue holds it. `missing`: a
test awaited it in vain. `none came`: a test has made sure that it has no result. `in flight`: nothing of this
is known yet.
"""


@dataclass(frozen=True)
class Attempt:
    """One invocation of a function for an event. Epoch seconds; None where no record tells it."""

    start: float | None
    end: float | None
    request_id: str
    error: str | None = None


@dataclass(frozen=True)
class Visit:
    """What is known of an event at one component.

    Attributes:
        component: Its name.
        type: `s3`, `lambda` and so on.
        at: When the event was there, for a component that keeps it: the stamp of the service or of the send.
        attempts: The invocations for it, if the component is a function.
    """

    component: str
    type: str
    at: float | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def start(self) -> float | None:
        """When the event came there."""
        return self.attempts[0].start if self.attempts else self.at

    @property
    def end(self) -> float | None:
        """When its last invocation ended; None while it lasts."""
        return self.attempts[-1].end if self.attempts else self.at

    @property
    def running(self) -> bool:
        """Whether an invocation has begun and not ended."""
        return any(one.start is not None and one.end is None for one in self.attempts)

    @property
    def error(self) -> str | None:
        """The error of its last invocation."""
        return self.attempts[-1].error if self.attempts else None


@dataclass(frozen=True)
class Arrival:
    """One result of an event.

    Attributes:
        source: The listener's source; `event_id` the identity that the source gave it.
        event_time: When the output happened, as the source says; None if it says nothing.
        listener: When the listener's invocation began and ended.
        received: When the listener first received it; `last_received` the newest delivery.
        deliveries: How often it was delivered.
        size: Bytes of its body.
        seen: When the test session first read it; None if it has not.
    """

    source: str
    event_id: str
    event_time: float | None
    listener: Attempt | None
    received: float
    last_received: float
    deliveries: int
    size: int
    seen: float | None


@dataclass(frozen=True)
class Timeline:
    """The way of one event.

    Attributes:
        correlation_id: Its id.
        test: The test that sent it; empty if it isn't known.
        component: The component that it was sent to.
        description: The place that it was sent to.
        size: Bytes of its body; None if it isn't known.
        sent_at: When it was sent; None if only its results are known.
        state: See `State`.
        visits: What is known of it at each component, in the order of the resource map.
        arrivals: Its results, the first received first.
        failures: What the failure queues tell of it.
        waits: Numbers of the waits that awaited it.
    """

    correlation_id: str
    test: str
    component: str
    description: str
    size: int | None
    sent_at: float | None
    state: State
    visits: tuple[Visit, ...]
    arrivals: tuple[Arrival, ...]
    failures: tuple[Failure, ...] = ()
    waits: tuple[int, ...] = ()

    @property
    def latency(self) -> float | None:
        """Seconds from the send to the first result; None where one of them isn't known."""
        if self.sent_at is None or not self.arrivals:
            return None
        return max(0.0, self.arrivals[0].received - self.sent_at)

    @property
    def duplicates(self) -> int:
        """Results of a source beyond its first one, and deliveries beyond the first."""
        again = sum(one.deliveries - 1 for one in self.arrivals)
        return again + len(self.arrivals) - len({one.source for one in self.arrivals})

    @property
    def last(self) -> str:
        """The last component where it is known to have been; empty if nothing is known."""
        been = [visit.component for visit in self.visits if visit.attempts or visit.at is not None]
        return been[-1] if been else ""

    def to_dict(self) -> dict[str, Any]:
        """The timeline as JSON: times in epoch seconds, null where a time isn't known."""
        return {
            "id": self.correlation_id,
            "test": self.test,
            "state": self.state,
            "sent_to": self.component,
            "place": self.description,
            "bytes": self.size,
            "sent_at": _rounded(self.sent_at),
            "latency": _rounded(self.latency),
            "duplicates": self.duplicates,
            "components": [
                {
                    "name": visit.component,
                    "type": visit.type,
                    "at": _rounded(visit.at),
                    "attempts": [_attempt(one) for one in visit.attempts],
                }
                for visit in self.visits
            ],
            "results": [
                {
                    "source": one.source,
                    "event_id": one.event_id,
                    "event_time": _rounded(one.event_time),
                    "listener": one.listener and _attempt(one.listener),
                    "received_at": _rounded(one.received),
                    "last_received_at": _rounded(one.last_received),
                    "deliveries": one.deliveries,
                    "bytes": one.size,
                    "seen_at": _rounded(one.seen),
                }
                for one in self.arrivals
            ],
            "failures": [
                {
                    "component": one.component,
                    "at": _rounded(one.failed_at.timestamp() if one.failed_at else None),
                    "attempts": one.attempts,
                    "error": one.error or None,
                    "request_id": one.request_id,
                }
                for one in self.failures
            ],
        }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "start": _rounded(one.start),
        "end": _rounded(one.end),
        "request_id": one.request_id,
        "error": one.error,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
