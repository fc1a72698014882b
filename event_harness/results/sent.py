"""`Sent`: one input that was sent, by which its results are found."""

from dataclasses import dataclass

from event_harness.system.correlation import case_id_of, run_id_of


@dataclass(frozen=True)
class Sent:
    """One input that was sent.

    Attributes:
        correlation_id: Ties results and failures to it.
        station: Name of the station it was sent to.
        sent_at: When, epoch seconds, right before the call.
        description: Where it went, for people: `s3://bucket/key`.
        size: Bytes of the body.
    """

    correlation_id: str
    station: str
    sent_at: float
    description: str
    size: int

    @property
    def run_id(self) -> str:
        """The part of the correlation id before the first slash."""
        return run_id_of(self.correlation_id)

    @property
    def case_id(self) -> str:
        """The part of the correlation id after the first slash."""
        return case_id_of(self.correlation_id)

    def __str__(self) -> str:
        return f"{self.description} ({self.size:,} bytes, correlation id {self.correlation_id})"
