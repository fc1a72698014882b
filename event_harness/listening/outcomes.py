"""The outcomes of waits: a collected batch, or the proof that nothing came."""

from dataclasses import dataclass, field

from event_harness.explaining.report import Report
from event_harness.results.failures import Failure
from event_harness.results.result import Result
from event_harness.results.sent import Sent


@dataclass(frozen=True)
class Collected:
    """The outcome of a batch.

    `str(collected)` names the missing inputs. Use it as the message of an assert: pytest shows it whole.

    Attributes:
        arrived: Correlation id -> results in `Result.order`, for each input that has any.
        missing: Inputs that had no result when the wait ended.
        failed: Correlation id -> failure, for the missing inputs that an on-failure queue holds.
        report: How far the first missing input came that has not failed; None if there is none.
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
    """No result came, and this is the proof.

    Attributes:
        proof: `window` (nothing came within it) or `sentinel` (a later input came on an ordered path).
        waited: Seconds.
        looks: How often the table was read.
        sentinel: The sentinel's result, if there was a sentinel: it shows that the system works.
    """

    proof: str
    waited: float
    looks: int
    sentinel: Result | None = None

    def __str__(self) -> str:
        looked = f"{self.waited:.1f} s, {self.looks} looks"
        if self.proof == "sentinel":
            return f"nothing came before the sentinel, which was sent later on an ordered path ({looked})"
        alive = "; the sentinel came, so the system works" if self.sentinel else ""
        return f"nothing came within the window ({looked}){alive}"
