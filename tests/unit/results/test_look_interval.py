"""The looks of one wait whose result breaks the pattern. `test_over_wait.py` has those that keep it."""

import pytest

from event_harness.results.look_interval import BEFORE, LONGEST, SHORTEST, Rhythm

ANSWER = 0.005  # seconds that a read takes


def rhythm_of(*silences):
    rhythm = Rhythm()
    for silence in silences:
        rhythm.came(silence)
    return rhythm


def late(rhythm, arrival):
    """Seconds from an arrival to the end of the look that finds it."""
    now = rhythm.first_look()
    while now < arrival:
        now += max(rhythm.interval(now + ANSWER), ANSWER + SHORTEST)
    return now + ANSWER - arrival


@pytest.mark.parametrize("known", [[], [20, 30], [0.05, 30], [0, 0], [0.02] * 20, [1000, 1000]])
@pytest.mark.parametrize("arrival", [0.0, 0.01, 0.1, 1, 3, 8, 40, 400])
def test_whatever_was_learned_no_result_is_late_by_more_than_a_part_of_its_time_and_a_second(known, arrival):
    rhythm = rhythm_of(*known)
    latest = max(0.6 * arrival, min(min(known, default=0) / 4, BEFORE), 0.05)
    assert late(rhythm, arrival) <= min(latest, LONGEST) + 2 * ANSWER
    assert rhythm.interval(arrival) >= SHORTEST


def test_of_one_arrival_nothing_is_learned():
    for silence in (0.0, 0.3, 4, 30):
        assert rhythm_of(4).interval(silence) == rhythm_of().interval(silence)
    assert rhythm_of(4).first_look() == rhythm_of().first_look() == 0


def test_the_more_arrivals_are_known_the_later_looks_become_frequent():
    def often_from(rhythm):
        """The silence from which on a look follows within half a second."""
        return next(tenth / 10 for tenth in range(20, 200) if rhythm.interval(tenth / 10) < 0.49)

    few, many = rhythm_of(10, 12), rhythm_of(*[10, 12] * 10)
    assert often_from(few) < 5.1
    assert often_from(many) > 8
