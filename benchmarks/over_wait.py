"""Measures how long a result is in the table before the wait for it returns, and how many reads that costs.

The reference is the sample's poll loop: GetItem, with pauses of the Fibonacci numbers in seconds and full
jitter. A session learns from its first two results when the next ones may come. So the reads of its first two
waits are a row of their own. All ranges run at the same time, since both sides sleep nearly always.
"""

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

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
SESSIONS = {"after 0.05-0.5 s": 3, "after 1-5 s": 6, "after 10-30 s": 16}
"""Of one side, at the same time; a session waits for one result after the other. More would keep the emulator
busy, so that it is measured."""
WAITS = {"after 0.05-0.5 s": 60, "after 1-5 s": 30, "after 10-30 s": 5}
"""The waits of each session. Of fewer waits, chance alone would break a bound in one run of twenty."""
FIRST = 2  # waits of a session from which it learns
AGAINST = "a poll loop with Fibonacci pauses and full jitter"


@dataclass(frozen=True)
class Wait:
    """One wait: its number in its session, how late it returned, in milliseconds, and how often it read."""

    number: int
    late: float
    reads: float


def measure(quick: bool) -> list[Figure]:
    """Wait for results that arrive after random delays, the same delays both ways."""
    ranges = {case: range_ for case, range_ in RANGES.items() if not quick or range_[1] <= 1}
    sessions = {case: 1 if quick else SESSIONS[case] for case in ranges}
    with results_table() as target, ThreadPoolExecutor(2 * sum(sessions.values())) as pool:
        found = {
            case: [
                [
                    pool.submit(
                        side, target, case, number, _delays(case, number, 4 if quick else WAITS[case])
                    )
                    for number in range(sessions[case])
                ]
                for side in (_ours, _reference)
            ]
            for case in ranges
        }
        return [
            figure
            for case, sides in found.items()
            for figure in _figures(case, *([wait for one in side for wait in one.result()] for side in sides))
        ]


def _figures(case: str, ours: list[Wait], theirs: list[Wait]) -> list[Figure]:
    reads = [wait.reads for wait in theirs]
    late, late_there = ([wait.late for wait in side] for side in (ours, theirs))
    known = [wait.reads for wait in ours if wait.number >= FIRST]
    first = [wait.reads for wait in ours if wait.number < FIRST]
    return [
        Figure("over-wait", case, "ms", late, late_there, AGAINST, {"median ratio": 0.1, "p95 ratio": 0.05}),
        Figure("reads of one wait", case, "reads", known, reads, AGAINST, {"mean ratio": 4}),
        Figure("reads of a session's first two waits", case, "reads", first, reads, AGAINST),
    ]


def _delays(case: str, session: int, number: int) -> list[float]:
    chance = random.Random(f"{case} {session}")
    return [chance.uniform(*RANGES[case]) for _ in range(number)]


def _ours(target: Target, case: str, session: int, delays: list[float]) -> list[Wait]:
    listener = listener_of(target, f"ours-{case}-{session}".replace(" ", "-"))
    waits = []
    for number, delay in enumerate(delays):
        sent = pretend_to_send(listener, number)
        before = listener.reader.queries
        there: list[float] = []
        later(delay, lambda sent=sent, there=there: there.append(write(target, sent)))  # type: ignore[misc]
        listener.wait_for(sent)
        waits.append(Wait(number, since(there) * 1000, listener.reader.queries - before))
    return waits


def _reference(target: Target, case: str, session: int, delays: list[float]) -> list[Wait]:
    waits = []
    for number, delay in enumerate(delays):
        sent = Sent(f"poll {case} {session}/{number}", "source", 0.0, "input", 5)
        there: list[float] = []
        reads: list[int] = []

        def read(sent: Sent = sent, reads: list[int] = reads) -> object:
            """Count and read."""
            reads.append(1)
            return read_one(target, sent)

        later(delay, lambda sent=sent, there=there: there.append(write(target, sent)))  # type: ignore[misc]
        poll(read, limit=120)
        waits.append(Wait(number, since(there) * 1000, len(reads)))
    return waits


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
