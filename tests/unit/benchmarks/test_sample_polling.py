"""The poll loop that event-harness is compared with behaves as the published samples do."""

import pytest
from listener_fakes import Clock

from benchmarks.sample.polling import poll


def never():
    raise KeyError("Item")


def test_polling_returns_what_the_first_good_read_gives():
    assert poll(lambda: "there", sleep=pytest.fail) == "there"


def test_polling_waits_at_most_a_growing_fibonacci_number_between_two_reads():
    most = []
    clock = Clock(0)
    with pytest.raises(KeyError):
        poll(
            never, limit=40, clock=clock, sleep=clock.sleep, uniform=lambda _, high: most.append(high) or high
        )
    assert most[:7] == [1, 1, 2, 3, 5, 8, 13]


def test_polling_ends_with_a_last_read_at_the_limit():
    reads = []
    clock = Clock(0)
    with pytest.raises(KeyError):
        poll(lambda: reads.append(clock()) or never(), limit=15, clock=clock, sleep=clock.sleep, uniform=max)
    assert reads == [0, 1, 2, 4, 7, 12, 15]


def test_polling_goes_on_only_while_the_result_is_missing():
    def gone():
        raise RuntimeError("no such table")

    with pytest.raises(RuntimeError):
        poll(gone, sleep=pytest.fail)
