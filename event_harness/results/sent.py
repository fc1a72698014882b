"""`Sent`: one input that was sent. Its correlation id finds its results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from event_harness.errors import printable
from event_harness.results.response import Response
from event_harness.system.correlation import case_id_of, session_id_of


@dataclass(frozen=True)
class Sent:
    """One input that was sent.

    Attributes:
        correlation_id: Its results and failures carry this id.
        component: Name of the component that it was sent to.
        sent_at: Epoch seconds, right before the call that sent it.
        description: The place that it was sent to, for people: `s3://bucket/key`.
        size: Bytes of the body; None of an input that the test has sent by itself.
        service_id: The id that the service has given it: of the message, the event, the request; the ARN of
            the execution. None if it gave none.
        response: What an API, a function or an execution answered; None of other services.
        filtered: The parts of it that filters look at, by name: `attributes`, `body`, `event`, `record`. An
            explanation holds them against the filters. They are never shown.
    """

    correlation_id: str
    component: str
    sent_at: float
    description: str
    size: int | None
    filtered: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False, compare=False)
    service_id: str | None = None
    response: Response | None = None

    @property
    def session_id(self) -> str:
        """The part of the correlation id before the first slash."""
        return session_id_of(self.correlation_id)

    @property
    def case_id(self) -> str:
        """The part of the correlation id after the first slash."""
        return case_id_of(self.correlation_id)

    @property
    def told(self) -> str:
        """Its size, if it is known, and its id."""
        size = "" if self.size is None else f"{self.size:,} bytes, "
        return f"{size}correlation id {self.correlation_id}"

    def __str__(self) -> str:
        return printable(f"{self.description} ({self.told})")
