"""Signals outside of a section raise at once; within one they wait for a safe point."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from event_harness.machine import interrupts
from event_harness.machine.interrupts import check, deferred, orderly_interrupts, pause, shielded


@pytest.fixture(autouse=True)
def _each_signal_counts(monkeypatch):
    """Signals of one test come within a moment, but are no burst."""
    monkeypatch.setattr(interrupts, "BURST", 0.0)


ANSWER = "still destroying deployment d1: wait for its end, or interrupt once more to leave it unfinished"


@pytest.mark.usefixtures("hang_up_counts")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_interrupts_the_users_code(number):
    with orderly_interrupts(), pytest.raises(KeyboardInterrupt, match=number.name):
        signal.raise_signal(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_in_a_section_takes_effect_at_the_end_of_it(number):
    done = []

    def interrupted():
        with deferred():
            signal.raise_signal(number)
            done.append("whole")

    with orderly_interrupts():
        with pytest.raises(KeyboardInterrupt, match=number.name):
            interrupted()
        assert done == ["whole"]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)


def test_signal_in_a_section_takes_effect_at_a_check(monkeypatch):
    with orderly_interrupts(), deferred():
        check()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt, match="SIGINT"):
            check()
        with pytest.raises(KeyboardInterrupt):  # nothing has ended for it yet
            check()


def test_pause_in_a_section_ends_with_a_signal():
    with orderly_interrupts(), deferred():
        alarm = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGTERM))
        alarm.start()
        with pytest.raises(KeyboardInterrupt):
            pause(60)
        alarm.join()


@pytest.mark.parametrize("look", [check, interrupts._take_interrupts])
def test_signal_at_any_instruction_of_a_look_is_not_lost(look):
    """It takes effect at once, at the end of the section, or is among what the look has taken."""
    struck, n = True, 0
    while struck:
        n += 1
        left, struck, taken = n, False, []

        def strike(frame, event, _argument):
            nonlocal left, struck
            if not frame.f_code.co_filename.endswith("interrupts.py") or frame.f_code.co_name == "_note":
                return None
            frame.f_trace_opcodes = True
            left -= event == "opcode"
            if left == 0 and not struck:
                struck = True
                sys.settrace(None)
                signal.raise_signal(signal.SIGTERM)
            return strike

        came = False
        with orderly_interrupts():
            try:
                with deferred():
                    sys.settrace(strike)
                    try:
                        taken = look()
                    finally:
                        sys.settrace(None)
            except KeyboardInterrupt:
                came = True
        assert came or taken or not struck, f"the signal at instruction {n} is lost"
    assert n > 10


def test_inner_section_ends_without_raising():
    reached = []

    def interrupted():
        with deferred():
            with deferred():
                signal.raise_signal(signal.SIGINT)
            reached.append("after the inner section")

    with orderly_interrupts(), pytest.raises(KeyboardInterrupt):
        interrupted()
    assert reached


def test_sections_defer_pythons_own_handler_too():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with deferred():
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                check()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_alarm_of_pytest_timeout_is_deferred_and_a_shield_holds_it():
    class TimedOutError(Exception):
        pass

    def alarm(_number, _frame):
        raise TimedOutError

    before = signal.signal(signal.SIGALRM, alarm)
    try:
        with deferred():
            signal.raise_signal(signal.SIGALRM)
            with pytest.raises(TimedOutError):
                check()
        done = []

        def destroying():
            with shielded(done.append, "destroying"):
                signal.raise_signal(signal.SIGALRM)
                check()
                done.append("whole")

        with pytest.raises(TimedOutError):
            destroying()
        assert done == ["whole"]
    finally:
        signal.signal(signal.SIGALRM, before)


def test_signal_between_two_steps_of_entering_is_handled_as_before(monkeypatch):
    set_handler = signal.signal

    def strike(number, handler):
        before = set_handler(number, handler)
        signal.raise_signal(signal.SIGTERM)
        return before

    with orderly_interrupts():
        with monkeypatch.context() as patched:
            patched.setattr(signal, "signal", strike)
            with pytest.raises(KeyboardInterrupt, match="SIGTERM"), deferred():
                pytest.fail("the section was entered")
        for number in (signal.SIGINT, signal.SIGTERM):
            with pytest.raises(KeyboardInterrupt, match=number.name):
                signal.raise_signal(number)


def test_interrupt_that_python_drops_takes_effect_at_the_next_check(monkeypatch):
    class Dying:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    dropped = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: dropped.append(what.exc_type))
    with orderly_interrupts():
        Dying()
        assert dropped == [KeyboardInterrupt]
        with pytest.raises(KeyboardInterrupt):
            check()
        with shielded(lambda _line: None, "destroying"):
            check()


def test_shield_answers_one_interrupt_and_lets_the_next_one_through():
    said = []
    with orderly_interrupts(), shielded(said.append, "destroying deployment d1"):
        signal.raise_signal(signal.SIGINT)
        assert said == []  # no handler prints
        check()
        assert said == [ANSWER]
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()


def test_answer_tells_the_progress_and_the_command_that_finishes_the_work():
    said, done = [], iter(["12 of 31 resources"])
    with (
        orderly_interrupts(),
        shielded(
            said.append, lambda: f"destroying d1, {next(done)}", leave_to=lambda: "event-harness sweep d1"
        ),
    ):
        signal.raise_signal(signal.SIGINT)
        check()
    assert said == [
        "still destroying d1, 12 of 31 resources; Ctrl-C again leaves it to: event-harness sweep d1"
    ]


def test_shield_within_a_shield_does_not_answer_again():
    said = []
    with orderly_interrupts(), shielded(said.append, "destroying deployment d1"):
        signal.raise_signal(signal.SIGINT)
        with shielded(said.append, "emptying buckets"):
            check()
        assert said == [ANSWER]
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), shielded(said.append, "emptying buckets"):
            check()


def test_interrupt_at_the_very_end_of_a_shield_is_forgotten():
    with orderly_interrupts():
        with shielded(lambda _line: None, "destroying"):
            signal.raise_signal(signal.SIGINT)
        check()


def test_burst_of_signals_counts_once(monkeypatch):
    monkeypatch.setattr(interrupts, "BURST", 60.0)
    said = []
    with orderly_interrupts():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        with shielded(said.append, "destroying"):
            signal.raise_signal(signal.SIGINT)
            check()
    assert said == []


def test_hang_up_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with orderly_interrupts(), shielded(lambda _line: None, "destroying"):
            signal.raise_signal(signal.SIGHUP)
            check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_are_restored():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with orderly_interrupts():
            ours = signal.getsignal(signal.SIGTERM)
            assert ours is not signal.SIG_DFL
            with deferred():
                assert signal.getsignal(signal.SIGTERM) is not ours
            assert signal.getsignal(signal.SIGTERM) is ours
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_child_of_a_section_gets_signals_as_usual():
    with orderly_interrupts(), deferred():
        code = "import signal; print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
        assert subprocess.check_output([sys.executable, "-c", code]) == b"True\n"
