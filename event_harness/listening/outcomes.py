"""What the waits of a listener return besides results."""

from dataclasses import dataclass, field

from event_harness.explaining.report import Report
from event_harness.results.failures import Failure
from event_harness.results.result import Result
from event_harness.results.sent import Sent


@dataclass(frozen=True)
class Collected:
    """What became of a batch.

    Its text names who is missing; as an assert's message give `str(collected)`, which pytest shows whole.

    Attributes:
        arrived: Correlation id -> results of each input that has any, in order of event time.
        missing: Inputs without a result when the wait ended.
        failed: Correlation id -> failure of the missing ones that lie in an on-failure queue.
        report: How far the first of the missing ones came that has not failed; None if there is none.
    """

    arrived: dict[str, list[Result]]
    missing: list[Sent]
    failed: dict[str, Failure] = field(default_factory=dict)
    report: Report | None = None

    def __str__(self) -> str:
        lines = [f"{len(self.arrived)} of {len(self.arrived) + len(self.missing)} arrived"]
        for sent in self.missing[:5]:
            which = "" if sent.case_id in sent.description else f", id {sent.case_id}"
            failure = self.failed.get(sent.correlation_id)
            lines.append(f"missing: {sent.description}{which}{f' ({failure})' if failure else ''}")
        if len(self.missing) > 5:
            lines.append(f"and {len(self.missing) - 5} more")
        if self.report:
            first = next(sent for sent in self.missing if sent.correlation_id not in self.failed)
            lines += [f"of {first.case_id}:", *self.report.terminal().split("\n")]
        return "\n  ".join(lines)


@dataclass(frozen=True)
class NoResult:
    """That nothing came, and how it is known.

    Attributes:
        proof: `window` (nothing came while it lasted) or `sentinel` (a later input came, on an ordered way).
        waited: Seconds.
        looks: How often the table was read meanwhile.
        sentinel: The sentinel's result if there was one: it shows that the way was alive.
    """

    proof: str
    waited: float
    looks: int
    sentinel: Result | None = None

    def __str__(self) -> str:
        looked = f"{self.waited:.1f} s, {self.looks} looks"
        if self.proof == "sentinel":
            return f"nothing came, and the sentinel sent after it on an ordered way did ({looked})"
        alive = "; the sentinel came, so the way was alive" if self.sentinel else ""
        return f"nothing came within the window ({looked}){alive}"
