"""The verdict of a test: what it says, after how many seconds, and with how many reads."""

import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from event_harness.aws.targets import Target
from event_harness.errors import WaitError

READS = ("GetItem", "Query")


@dataclass(frozen=True)
class Counting(Target):
    """A target whose clients count the reads of tables."""

    calls: list[str] = field(default_factory=list, repr=False, compare=False)

    def client(self, service: str, **config: Any) -> Any:
        """A client of the service, as of any target."""
        client = super().client(service, **config)
        client.meta.events.register(f"before-call.{service}", self._count, unique_id="counting")
        return client

    def _count(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)  # threads share the list, and `append` is atomic

    @property
    def reads(self) -> int:
        """GetItem and Query calls so far."""
        return sum(name in READS for name in self.calls)


def counting(url: str) -> Counting:
    """The emulator at this address."""
    target = Counting.emulator(url)
    assert isinstance(target, Counting)
    return target


@dataclass(frozen=True)
class Verdict:
    """The verdict of one test, or of several equal ones.

    Attributes:
        says: The verdict in a few words.
        seconds: From the send to the verdict.
        reads: GetItem and Query calls; the mean if there were several tests.
        passed: Whether the test passed.
        error: The error that ended the test, if it failed.
    """

    says: str
    seconds: float | None = None
    reads: float | None = None
    passed: bool = False
    error: BaseException | None = None


@dataclass(frozen=True)
class Row:
    """The result of one case.

    Attributes:
        case: What was tried.
        sample: The verdict of the sample's poll loop.
        ours: The verdict of event-harness.
        kept: Whether event-harness kept its guarantee.
        timed: Whether the guarantee is about time, which a busy machine can break.
    """

    case: str
    sample: Verdict
    ours: Verdict
    kept: bool
    timed: bool = False


def verdict(target: Counting, test: Callable[[], object]) -> Verdict:
    """Run a test and return its verdict."""
    began, before = time.monotonic(), target.reads
    error: Exception | None = None
    says = "passed"
    try:
        test()
    except Exception as raised:
        error, says = raised, shortened(raised)
    return Verdict(says, time.monotonic() - began, target.reads - before, error is None, error)


def at_once(
    target: Counting, tests: Sequence[Callable[[], Verdict]], *, workers: int | None = None
) -> Verdict:
    """Run several equal tests in parallel, and combine their verdicts.

    Args:
        target: Where all of them read.
        tests: Each returns its verdict.
        workers: How many run at once; all by default.

    Returns:
        Each distinct verdict with its count, the median of the times and the mean of the reads.
    """
    before = target.reads
    with ThreadPoolExecutor(workers or len(tests)) as pool:
        said = list(pool.map(lambda test: test(), tests))
    counts = Counter(one.says for one in said)
    says = "; ".join(f"{text} ({count} of {len(said)})" for text, count in counts.most_common())
    return Verdict(
        says,
        statistics.median(one.seconds or 0.0 for one in said),
        (target.reads - before) / len(tests),
        all(one.passed for one in said),
    )


def shortened(error: Exception) -> str:
    """An error in one line: its type, and the cause or the first line of its text."""
    report = error.report if isinstance(error, WaitError) else None
    says = report.cause if report else str(error).partition("\n")[0].rstrip(":")
    # Keys are long, and say nothing in this table.
    return f"{type(error).__name__}: {re.sub(r's3://[^ :]+', 's3://…', says)}"
