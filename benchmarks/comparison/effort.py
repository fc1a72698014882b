"""How much the comparison measures: all of it, or a little to see that every case works."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.comparison.verdicts import Verdict
from benchmarks.sample.polling import LIMIT


@dataclass(frozen=True)
class Effort:
    """The size of the comparison.

    Attributes:
        limit: Seconds that a test of the sample waits for its result.
        sla: Seconds that a test of event-harness waits; in a quick comparison long enough for a busy machine.
        trials: Tests in a case that depends on chance.
        settle: Seconds in which event-harness looks for a further result.
        at_once: Whether both ways are tested at once, which disturbs the measurements.
    """

    limit: float
    sla: float
    trials: int
    settle: float
    at_once: bool

    def both(self, sample: Callable[[], Verdict], ours: Callable[[], Verdict]) -> tuple[Verdict, Verdict]:
        """Test both ways and return both verdicts."""
        with ThreadPoolExecutor(2 if self.at_once else 1) as pool:
            first, second = pool.submit(sample), pool.submit(ours)
            return first.result(), second.result()


FULL = Effort(limit=LIMIT, sla=LIMIT, trials=8, settle=2.0, at_once=False)
QUICK = Effort(limit=1.0, sla=60.0, trials=2, settle=2.0, at_once=True)
