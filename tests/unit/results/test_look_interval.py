"""The looks of one wait, simulated: how late they find a result, and how many they are.

The reference is a poll loop with pauses of the Fibonacci numbers in seconds and full jitter.
"""

import random
import statistics

import pytest

from event_harness.results.look_interval import LONGEST, SHORTEST, Rhythm

ANSWER = 0.005  # seconds that a read takes
RANGES = [(0.05, 0.5), (1, 5), (10, 30)]


def ours(rhythm, arrival):
    now, reads = 0.0, 1
    while now < arrival:
        now += max(rhythm.interval(now + ANSWER), ANSWER + SHORTEST)
        reads += 1
    rhythm.came(now + ANSWER)
    return now + ANSWER - arrival, reads


def polled(chance, arrival):
    now, reads, one, other = 0.0, 1, 1, 1
    while now < arrival:
        now += ANSWER + chance.uniform(0, one)
        one, other = other, one + other
        reads += 1
    return now + ANSWER - arrival, reads


def both(shortest, longest, waits, sessions):
    chance = random.Random(1)  # noqa: S311 (no secret)
    found, reference = [], []
    for _ in range(sessions):
        rhythm = Rhythm()
        for number in range(waits):
            arrival = chance.uniform(shortest, longest)
            found.append((number, *ours(rhythm, arrival)))
            reference.append(polled(chance, arrival))
    return found, reference


def p95(values):
    return statistics.quantiles(values, n=20)[-1]


@pytest.mark.parametrize(("shortest", "longest"), RANGES)
@pytest.mark.parametrize("waits", [1, 2, 30])
def test_a_result_is_found_within_a_tenth_and_a_twentieth_of_the_time_of_a_poll_loop(
    shortest, longest, waits
):
    found, reference = both(shortest, longest, waits, 3000 // waits)
    late, late_there = [late for _, late, _ in found], [late for late, _ in reference]
    assert statistics.median(late) < statistics.median(late_there) / 10
    assert p95(late) < p95(late_there) / 20


@pytest.mark.parametrize(("shortest", "longest"), RANGES)
def test_a_wait_reads_at_most_four_times_as_often_once_two_results_are_known(shortest, longest):
    found, reference = both(shortest, longest, 30, 100)
    known = statistics.mean(reads for number, _, reads in found if number >= 2)
    assert known < 4 * statistics.mean(reads for _, reads in reference)


@pytest.mark.parametrize(("shortest", "longest"), RANGES)
def test_the_first_waits_read_at_most_eight_times_as_often(shortest, longest):
    found, reference = both(shortest, longest, 2, 1000)
    assert statistics.mean(reads for *_, reads in found) < 8 * statistics.mean(
        reads for _, reads in reference
    )


@pytest.mark.parametrize("known", [[], [20, 30], [0.05, 30], [0, 0], [0.02] * 20, [1000, 1000]])
@pytest.mark.parametrize("arrival", [0.01, 0.1, 1, 3, 8, 40, 400])
def test_whatever_was_learned_no_result_is_late_by_more_than_half_of_its_time_or_a_second(known, arrival):
    rhythm = Rhythm()
    for silence in known:
        rhythm.came(silence)
    late, _ = ours(rhythm, arrival)
    assert late <= min(max(arrival / 2, 0.05), LONGEST) + 2 * ANSWER
    assert rhythm.interval(arrival) >= SHORTEST
