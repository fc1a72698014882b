"""What a way of testing says of a case, how soon, and what it reads for it."""

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
    """A target whose clients count what is read of tables."""

    calls: list[str] = field(default_factory=list, repr=False, compare=False)

    def client(self, service: str, **config: Any) -> Any:
        """As of any target."""
        client = super().client(service, **config)
        client.meta.events.register(f"before-call.{service}", self._count, unique_id="counting")
        return client

    def _count(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)  # threads share it

    @property
    def reads(self) -> int:
        """GetItem and Query calls so far."""
        return sum(name in READS for name in self.calls)


def counting(url: str) -> Counting:
    """The emulator at an address."""
    target = Counting.emulator(url)
    assert isinstance(target, Counting)
    return target


@dataclass(frozen=True)
class Verdict:
    """What was said of one test, or of several alike.

    Attributes:
        says: in a few words.
        seconds: from the send until it was said.
        reads: GetItem and Query calls; of several tests the mean.
        passed: whether the test passed.
        error: what ended it if not.
    """

    says: str
    seconds: float | None = None
    reads: float | None = None
    passed: bool = False
    error: BaseException | None = None


@dataclass(frozen=True)
class Row:
    """What came of one case.

    Attributes:
        case: what was tried.
        sample: what the sample's way says.
        ours: what event-harness says.
        kept: whether that is what event-harness guarantees.
    """

    case: str
    sample: Verdict
    ours: Verdict
    kept: bool


def verdict(target: Counting, test: Callable[[], object]) -> Verdict:
    """Run a test and see what it says."""
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
    """Run several tests alike beside each other, and put what they say together.

    Args:
        target: where all of them read.
        tests: each returns its verdict.
        workers: most at once; all by default.

    Returns:
        What they say and how many of them say it; the median of their times, the mean of their reads.
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
    """What an error says, in one line: ours its headline and the cause."""
    report = error.report if isinstance(error, WaitError) else None
    says = report.cause if report else str(error).partition("\n")[0].rstrip(":")
    # Keys are long and tell nothing here.
    return f"{type(error).__name__}: {re.sub(r's3://[^ :]+', 's3://…', says)}"
