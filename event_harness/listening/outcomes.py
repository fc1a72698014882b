"""The outcomes of waits: a collected batch, or the proof that nothing came."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from event_harness.errors import printable
from event_harness.explaining.report import Report
from event_harness.results.failures import Failure
from event_harness.results.result import Result
from event_harness.results.sent import Sent

T = TypeVar("T")
SHOWN = 5
"""So many of a batch's missing inputs are shown, and of their failures."""


class ByInput(Mapping[str | Sent, T]):
    """A mapping from inputs to something. Ask it with a `Sent` or with a correlation id; its keys are ids."""

    def __init__(self, items: Mapping[str, T] | None = None) -> None:
        self._items = dict(items or {})

    def __getitem__(self, key: str | Sent) -> T:
        return self._items[key.correlation_id if isinstance(key, Sent) else key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


@dataclass(frozen=True)
class Collected:
    """The outcome of a batch.

    `str(collected)` names the missing inputs. Use it as the message of an assert: pytest shows it whole.

    Attributes:
        arrived: Input -> its accepted results, sorted by `in_order`, for each input that has enough of them.
            Ask it with a `Sent` or a correlation id: `sent in collected.arrived`.
        missing: Inputs that had too few results when the wait ended.
        failed: Input -> failure, for each input that was seen in a failure queue. An input that has results
            may be among them: another branch of the system failed on it.
        report: How far the first missing input came that has not failed; None if there is none.
        incomplete: Input -> its accepted results, for each missing input that has some.
        wanted: The number of results that each input needed.
    """

    arrived: ByInput[list[Result]]
    missing: list[Sent]
    failed: ByInput[Failure] = field(default_factory=ByInput)
    report: Report | None = None
    incomplete: ByInput[list[Result]] = field(default_factory=ByInput)
    wanted: int = 1

    def __str__(self) -> str:
        lines = [f"{len(self.arrived)} of {len(self.arrived) + len(self.missing)} arrived"]
        for sent in self.missing[:SHOWN]:
            which = "" if sent.case_id in sent.description else f", id {sent.case_id}"
            came = len(self.incomplete.get(sent, []))
            some = f", {came} of {self.wanted} results" if came else ""
            failure = self.failed.get(sent)
            lines.append(f"missing: {sent.description}{which}{some}{f' ({failure})' if failure else ''}")
        if len(self.missing) > SHOWN:
            lines.append(f"and {len(self.missing) - SHOWN} more")
        for key, failure in list(self.failed.items())[:SHOWN]:
            if key in self.arrived:
                lines.append(f"arrived, but a branch failed: {key} ({failure})")
        if self.report:
            first = next(sent for sent in self.missing if sent not in self.failed)
            lines += [f"of {first.case_id}:", *self.report.terminal().split("\n")]
        return printable("\n  ".join(lines))


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
