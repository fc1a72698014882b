"""How late a wait returns and how often it reads, beside a poll loop: the law of `make bench`, simulated.

The reader and its waits are the real ones. The clock is faked and all chance is seeded, so the figures are
the same on each machine. The reference polls with pauses of the Fibonacci numbers in seconds and full jitter.
"""

import random
import statistics
from functools import partial
from itertools import chain
from types import SimpleNamespace

import pytest

from benchmarks.sample.polling import poll
from event_harness.results.reader import Reader

ANSWER = 0.004  # seconds that a read takes, on average
SESSIONS = {(0.05, 0.5): (10, 20), (1, 5): (10, 20), (10, 30): (12, 8)}
"""Seconds between which results come -> number of sessions, and of the waits in each."""
FIRST = 2  # a session learns from its first two waits


class Simulation:
    """A results table whose items come at planned times, with the clock that all use."""

    name = "results"
    answered_at = None

    def __init__(self, chance):
        self.chance = chance
        self.now = 1000.0
        self.planned = []
        self.queries = 0

    def query(self, _session_id, since=0):
        """What is there when the read begins."""
        self.queries += 1
        there = [item for item in self.planned if item["at"] <= self.now and item["at"] * 1000 >= since]
        self.sleep(ANSWER * self.chance.uniform(0.7, 1.5))
        return there

    def result(self, item):
        return SimpleNamespace(
            correlation_id=item["event_id"]["S"],
            event_id=item["event_id"]["S"],
            received_at=SimpleNamespace(timestamp=lambda: item["at"]),
        )

    def sleep(self, seconds):
        self.now += seconds

    def clock(self):
        return self.now

    def reader(self):
        def late(seconds):
            self.sleep(seconds + self.chance.uniform(0, 0.002))  # as threads wake up

        return Reader(self, "run", clock=self.clock, sleep=late, spawn=lambda work: work())

    def input(self, number, delay):
        """Plan the result of an input, and return its id and when the result comes."""
        at = self.now + delay
        self.planned.append({"event_id": {"S": f"run/{number}"}, "received_at": at, "at": at})
        return f"run/{number}", at


def arrived(reader, one):
    return reader.has(one) or None


def both(shortest, longest, seed):
    """Late, reads and number of each of our waits; late and reads of each of the poll loop."""
    chance = random.Random(f"{shortest} {seed}")  # noqa: S311 (no secret)
    sessions, waits = SESSIONS[shortest, longest]
    ours, theirs = [], []
    for _ in range(sessions):
        simulation = Simulation(chance)
        reader = simulation.reader()
        for number in range(waits):
            delay, before = chance.uniform(shortest, longest), simulation.queries
            reader.notice()
            one, at = simulation.input(number, delay)
            assert reader.wait(partial(arrived, reader, one), simulation.now + 120, [one])
            ours.append((simulation.now - at, simulation.queries - before, number))
            theirs.append(polled(simulation, chance, delay))
            simulation.sleep(chance.uniform(0, 0.1))
    return ours, theirs


def polled(simulation, chance, delay):
    at, before = simulation.now + delay, simulation.queries

    def read():
        simulation.queries += 1
        there = simulation.now >= at
        simulation.sleep(ANSWER * chance.uniform(0.7, 1.5))
        if not there:
            raise KeyError
        return True

    poll(read, limit=120, clock=simulation.clock, sleep=simulation.sleep, uniform=chance.uniform)
    return simulation.now - at, simulation.queries - before


def p95(values):
    return statistics.quantiles(values, n=20)[-1]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("between", SESSIONS, ids=str)
def test_a_wait_returns_within_a_tenth_and_a_twentieth_of_the_time_with_four_times_the_reads(between, seed):
    ours, theirs = both(*between, seed)
    late, late_there = [late for late, *_ in ours], [late for late, _ in theirs]
    assert statistics.median(late) < statistics.median(late_there) / 10
    assert p95(late) < p95(late_there) / 20
    known = statistics.mean(reads for _, reads, number in ours if number >= FIRST)
    assert known < 4 * statistics.mean(reads for _, reads in theirs)


@pytest.mark.parametrize("between", SESSIONS, ids=str)
def test_over_many_sessions_the_bounds_hold_with_a_margin(between):
    ours, theirs = zip(*(both(*between, seed) for seed in range(5)), strict=True)
    ours, theirs = list(chain(*ours)), list(chain(*theirs))
    late, late_there = [late for late, *_ in ours], [late for late, _ in theirs]
    assert statistics.median(late) < 0.085 * statistics.median(late_there)
    assert p95(late) < 0.046 * p95(late_there)
    reads = statistics.mean(reads for _, reads in theirs)
    assert statistics.mean(reads for _, reads, number in ours if number >= FIRST) < 3.8 * reads
    assert statistics.mean(reads for _, reads, _ in ours) < 4.1 * reads
    assert statistics.mean(reads for _, reads, number in ours if number < FIRST) < 8 * reads
