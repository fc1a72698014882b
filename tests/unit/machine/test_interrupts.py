import signal
import sys

import pytest

from event_harness.machine.interrupts import held, orderly_interrupts, pending, shielded


@pytest.mark.usefixtures("hang_up_counts")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_interrupts_and_is_remembered_until_the_tear_down(number):
    with orderly_interrupts():
        with pytest.raises(KeyboardInterrupt, match=number.name):
            signal.raise_signal(number)
        assert pending()
        with shielded(lambda _line: None, "destroying"):
            assert not pending()


def test_interrupt_that_python_drops_is_still_pending(monkeypatch):
    class Dying:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    dropped = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: dropped.append(what.exc_type))
    with orderly_interrupts():
        Dying()
        assert dropped == [KeyboardInterrupt]
        assert pending()


def test_one_interrupt_passes_by_while_something_is_destroyed_and_the_next_gets_through():
    said = []
    with orderly_interrupts(), shielded(said.append, "destroying deployment d1"):
        signal.raise_signal(signal.SIGINT)
        assert said == [
            "still destroying deployment d1: wait for its end, or interrupt once more to leave it unfinished"
        ]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_interrupts_that_are_held_strike_at_the_end_of_the_block():
    done = []

    def interrupted():
        with held():
            signal.raise_signal(signal.SIGTERM)
            done.append("whole")

    with orderly_interrupts():
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
            interrupted()
        assert done == ["whole"]
        assert pending()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_a_hang_up_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with orderly_interrupts(), shielded(lambda _line: None, "destroying"):
            signal.raise_signal(signal.SIGHUP)
            assert not pending()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with orderly_interrupts():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
