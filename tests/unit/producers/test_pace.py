"""A pace climbs to the limit with the most results a second, within the memory that it may take."""

import pytest
from listener_fakes import Clock

from event_harness.producers.inflight import InFlight
from event_harness.producers.pace import ENOUGH, FIRST, MOST, TOO_MUCH, Pace


class Emulator:
    """Gives results at a rate that depends on how many inputs are in flight."""

    def __init__(self, rate, memory=lambda limit: 100.0):
        self.clock = Clock()
        self.rate = rate
        self.widest = 0
        self.pace = Pace(FIRST, MOST, lambda: memory(self.pace.limit), clock=self.clock)
        self.inflight = InFlight(self.pace)
        self.inflight.attach(wait=self._wait, noticed=lambda: None, expiry=600, clock=self.clock)

    def _wait(self, found, _deadline):
        """Results come until a slot is free."""
        while not found():
            self.clock.now += 1 / self.rate(self.inflight.outstanding)
            self.inflight.leave(self.inflight.holders()[0])

    def send(self, number):
        for one in range(number):
            self.inflight.enter(f"{self.clock.now}-{one}")
            self.widest = max(self.widest, self.inflight.outstanding)
        return self.pace.limit


def test_it_takes_more_while_more_in_flight_give_more_results_a_second():
    emulator = Emulator(lambda limit: 5 * limit)
    emulator.send(500)
    assert emulator.widest == MOST


@pytest.mark.parametrize("workers", [1, 2, 6, 12])
def test_it_stays_near_the_number_of_workers_that_work_at_once(workers):
    emulator = Emulator(lambda limit: 10 * min(limit, workers))
    limits = [emulator.send(20) for _ in range(60)]
    assert workers / 2 <= sum(limits[20:]) / 40 <= max(FIRST * 1.5, 3 * workers)


def test_it_goes_back_where_more_in_flight_give_fewer_results():
    emulator = Emulator(lambda limit: 10 * limit if limit <= 8 else 400 / limit)
    limits = [emulator.send(20) for _ in range(60)]
    assert sum(limits[20:]) / 40 < 14


def test_it_begins_with_few_so_that_a_short_burst_starts_few_workers():
    emulator = Emulator(lambda limit: 5 * limit)
    emulator.send(FIRST * 3)
    assert emulator.widest == FIRST


def test_it_stops_before_the_emulator_takes_too_much_memory():
    emulator = Emulator(lambda limit: 5 * limit, memory=lambda limit: 100.0 * limit)
    emulator.send(500)
    assert emulator.widest * 100 < TOO_MUCH


def test_it_takes_less_once_the_emulator_takes_too_much_memory():
    assert Emulator(lambda limit: 5 * limit, memory=lambda _: TOO_MUCH).send(500) == 1


@pytest.mark.parametrize("memory", [None, ENOUGH])
def test_it_never_grows_where_the_memory_is_unknown_or_enough(memory):
    assert Emulator(lambda limit: 5 * limit, memory=lambda _: memory).send(500) <= FIRST


def test_a_pause_between_two_tests_tells_nothing_about_the_rate():
    emulator = Emulator(lambda limit: 5 * limit)
    for _ in range(100):
        emulator.send(FIRST + 1)
        for one in emulator.inflight.holders():
            emulator.inflight.leave(one)
        emulator.clock.now += 60
    assert emulator.pace.limit == FIRST


def test_an_input_that_expires_is_no_result():
    emulator = Emulator(lambda limit: 5 * limit)
    emulator.send(FIRST)
    emulator.clock.now += 601
    assert emulator.inflight.outstanding == 0
    assert emulator.pace._results == 0
