"""Measures how long a result is in the table before the wait for it returns, and how many reads that costs.

The reference is the sample's poll loop: GetItem, with pauses of the Fibonacci numbers in seconds and full
jitter. To return earlier takes more reads. For arrivals that are spread evenly over T seconds, a mean
over-wait of w takes T / 2w reads: a tenth of the reference's over-wait costs about ten times its reads. So
the reads have no bound. Many waits share them, as `benchmarks/reads.py` shows.
"""

import random
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from benchmarks.figures import Figure, run
from benchmarks.imagined_results import (
    later,
    listener_of,
    pretend_to_send,
    read_one,
    results_table,
    since,
    write,
)
from benchmarks.sample.polling import poll
from event_harness.aws.targets import Target
from event_harness.results.sent import Sent

RANGES = {"after 0.05-0.5 s": (0.05, 0.5), "after 1-5 s": (1.0, 5.0), "after 10-30 s": (10.0, 30.0)}
SAMPLES = {"after 0.05-0.5 s": 60, "after 1-5 s": 60, "after 10-30 s": 40}
AT_ONCE = 4  # waits of one side that run at the same time; each has a session of its own
AGAINST = "a poll loop with Fibonacci pauses and full jitter"


@dataclass(frozen=True)
class Wait:
    """One wait: how late it returned, in milliseconds, and how often it read."""

    late: float
    reads: float


def measure(quick: bool) -> list[Figure]:
    """Wait for results that arrive after random delays, the same delays both ways."""
    figures = []
    with results_table() as target:
        for case, (shortest, longest) in RANGES.items():
            if quick and longest > 1:
                continue
            chance = random.Random(case)
            delays = [chance.uniform(shortest, longest) for _ in range(4 if quick else SAMPLES[case])]
            ours = _each(partial(_ours, target, case), delays)
            theirs = _each(partial(_reference, target, case), delays)
            figures += [
                Figure(
                    "over-wait",
                    case,
                    "ms",
                    [wait.late for wait in ours],
                    [wait.late for wait in theirs],
                    AGAINST,
                    {"median ratio": 0.1, "p95 ratio": 0.05},
                ),
                Figure(
                    "reads of one wait",
                    case,
                    "reads",
                    [wait.reads for wait in ours],
                    [wait.reads for wait in theirs],
                    AGAINST,
                ),
            ]
    return figures


def _each(wait: Callable[[int, float], Wait], delays: list[float]) -> list[Wait]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(wait, range(len(delays)), delays))


def _ours(target: Target, case: str, number: int, delay: float) -> Wait:
    listener = listener_of(target, f"ours-{case}-{number}".replace(" ", "-"))
    sent = pretend_to_send(listener, 0)
    there: list[float] = []
    later(delay, lambda: there.append(write(target, sent)))
    listener.wait_for(sent)
    return Wait(since(there) * 1000, listener.reader.queries)


def _reference(target: Target, case: str, number: int, delay: float) -> Wait:
    sent = Sent(f"poll {case} {number}/0", "source", 0.0, "input", 5)
    there: list[float] = []
    reads: list[int] = []

    def read() -> object:
        """Count and read."""
        reads.append(1)
        return read_one(target, sent)

    later(delay, lambda: there.append(write(target, sent)))
    poll(read, limit=120)
    return Wait(since(there) * 1000, len(reads))


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
