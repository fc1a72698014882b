"""`Sent`: one input that was sent. Its correlation id finds its results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from event_harness.errors import printable
from event_harness.system.correlation import case_id_of, session_id_of


@dataclass(frozen=True)
class Sent:
    """One input that was sent.

    Attributes:
        correlation_id: Its results and failures carry this id.
        component: Name of the component that it was sent to.
        sent_at: Epoch seconds, right before the call that sent it.
        description: The place that it was sent to, for people: `s3://bucket/key`.
        size: Bytes of the body.
        filtered: The parts of it that filters look at, by name: `attributes`, `body`, `event`, `record`. An
            explanation holds them against the filters. They are never shown.
    """

    correlation_id: str
    component: str
    sent_at: float
    description: str
    size: int
    filtered: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def session_id(self) -> str:
        """The part of the correlation id before the first slash."""
        return session_id_of(self.correlation_id)

    @property
    def case_id(self) -> str:
        """The part of the correlation id after the first slash."""
        return case_id_of(self.correlation_id)

    def __str__(self) -> str:
        return printable(f"{self.description} ({self.size:,} bytes, correlation id {self.correlation_id})")
