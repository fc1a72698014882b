import threading

import pytest
from listener_fakes import Clock

from event_harness.errors import SettingError
from event_harness.producers.inflight import InFlight


def attached(limit, expiry=10):
    clock = Clock()

    def wait(found, deadline):
        while not found() and clock.now < deadline:
            clock.sleep(min(0.5, deadline - clock.now))

    inflight = InFlight(limit)
    inflight.attach(wait=wait, noticed=lambda: None, expiry=expiry, clock=clock)
    return inflight, clock


def test_up_to_the_limit_nobody_waits():
    inflight, clock = attached(3)
    for name in "abc":
        inflight.enter(name)
    assert clock.now == 1000
    assert inflight.outstanding == 3


def test_over_the_limit_one_waits_until_a_slot_comes_free():
    inflight, clock = attached(1)
    inflight.enter("a")
    clock.after(2, lambda: inflight.leave("a"))
    inflight.enter("b")
    assert clock.now == 1002
    assert inflight.holders() == ["b"]


def test_an_input_that_never_comes_back_frees_its_slot_by_expiry():
    inflight, clock = attached(1, expiry=10)
    inflight.enter("a")
    inflight.enter("b")
    assert clock.now == 1010


def test_without_a_limit_nobody_waits():
    inflight, clock = attached(None)
    for number in range(1000):
        inflight.enter(str(number))
    assert clock.now == 1000


def test_leaving_twice_or_without_a_slot_is_nothing():
    inflight, _ = attached(1)
    inflight.enter("a")
    inflight.leave("a")
    inflight.leave("a")
    inflight.leave(None)
    assert inflight.outstanding == 0


def test_the_same_input_again_keeps_its_one_slot():
    inflight, clock = attached(1)
    inflight.enter("a")
    inflight.enter("a")
    assert clock.now == 1000


def test_without_a_listener_a_full_bound_ends_by_expiry_alone():
    inflight = InFlight(1, expiry=0.01)
    inflight.enter("a")
    inflight.enter("b")
    assert inflight.holders() == ["b"]


def test_threads_never_exceed_the_limit():
    inflight = InFlight(3, expiry=60)
    most, lock = [], threading.Lock()

    def one(number):
        inflight.enter(str(number))
        with lock:
            most.append(inflight.outstanding)
        inflight.leave(str(number))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(most) == 20
    assert max(most) <= 3


@pytest.mark.parametrize("limit", [0, -1, 1.5, "4", True])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(SettingError, match=r"in-flight limit .*: must be a whole number from 1"):
        InFlight(limit)
