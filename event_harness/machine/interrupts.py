"""Ctrl-C, SIGTERM and SIGHUP: each ends a deployment in order, and none ends a destroy by accident.

A signal handler that raises does so between any two instructions, also within the standard library: a
`KeyboardInterrupt` inside `Popen.poll` leaves its lock taken for ever. So code that holds a resource runs in
a `deferred` section. There signals are only noted. They take effect where the code calls `check`, and at the
end of the section. Outside of such sections, in the user's own code, a signal raises `KeyboardInterrupt` as
usual.
"""

import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from event_harness.machine import clock

Handler = Callable[[int, FrameType | None], Any]

BURST = 1.0
"""Seconds in which further signals count as the same one: `timeout` sends two, and people press twice."""

_LOOK = 0.05  # seconds between two looks for a signal
# SIGALRM: pytest-timeout raises in its handler.
_DEFERRED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


@dataclass
class _Shield:
    """Answers the first interrupt with a line, and lets the next one through."""

    say: Callable[[str], None]
    what: str | Callable[[], str]
    leave_to: Callable[[], str] | None = None
    answered: bool = False

    def look(self) -> None:
        """Answer a first interrupt with a line; raise the second one."""
        came = _take_interrupts()
        if not came:
            return
        if self.answered:
            raise KeyboardInterrupt(signal.Signals(came[0]).name)
        self.answered = True
        what = self.what if isinstance(self.what, str) else self.what()
        if self.leave_to:
            self.say(f"still {what}; Ctrl-C again leaves it to: {self.leave_to()}")
        else:
            self.say(f"still {what}: wait for its end, or interrupt once more to leave it unfinished")


@dataclass
class _State:
    """The signals of this process. Only its main thread handles signals, so there is no lock."""

    depth: int = 0  # of sections
    came: list[int] = field(default_factory=list)  # signals that have not taken effect
    handlers: dict[int, Handler] = field(default_factory=dict)  # `_note` stands in for them
    counted: float = -math.inf  # when the last burst began
    delivering: bool = False
    shield: _Shield | None = None


_state = _State()
# Set when an interrupt was raised, until something ends for it. Python drops an exception that is raised
# inside a finalizer, with a line on stderr, so `check` looks here too.
_raised = threading.Event()


@contextmanager
def orderly_interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt, as Ctrl-C does, so that everything ends in order."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` ignores it
        numbers.append(signal.SIGHUP)
    _state.counted = -math.inf
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        _raised.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Note signals in this block, and let them take effect at `check` and at the end of the block.

    Sections may be nested. Signals raise only in the main thread: in other threads, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


@contextmanager
def shielded(
    say: Callable[[str], None], what: str | Callable[[], str], *, leave_to: Callable[[], str] | None = None
) -> Iterator[None]:
    """A deferred section that answers one interrupt with a line; at the next one, `check` raises.

    Within another such section, it does nothing.

    Args:
        say: prints a line.
        what: the current work, e.g. "destroying deployment d01"; or what returns it, with its progress.
        leave_to: returns the command that finishes the work if it is interrupted again.
    """
    _raised.clear()  # the work ends what it interrupted
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer = _state.shield
    with deferred():
        _state.shield = outer or _Shield(say, what, leave_to)
        try:
            yield
        finally:
            _state.shield = outer
            if not outer:
                _take_interrupts()  # the work is done: there is nothing left to interrupt


def check() -> None:
    """Let the signals of this section take effect now.

    Raises:
        KeyboardInterrupt: the user, or the system, wants this process to end.
    """
    if threading.current_thread() is threading.main_thread():
        if _state.shield:
            _state.shield.look()
            return
        _deliver()
    if _raised.is_set():
        raise KeyboardInterrupt


def pause(seconds: float) -> None:
    """Sleep, but let signals take effect soon.

    Raises:
        KeyboardInterrupt: as `check`.
    """
    deadline = clock.monotonic() + seconds
    check()
    while (left := deadline - clock.monotonic()) > 0:
        time.sleep(min(left, _LOOK))
        check()


def _interrupt(signum: int, _frame: FrameType | None) -> None:
    if _state.delivering or _begins_burst():
        _raised.set()
        raise KeyboardInterrupt(signal.Signals(signum).name)


def _begins_burst() -> bool:
    now = clock.monotonic()
    if now - _state.counted < BURST:
        return False
    _state.counted = now
    return True


def _note(signum: int, frame: FrameType | None) -> None:
    if not _state.depth:  # between two steps of `_enter` or `_leave`
        _state.handlers[signum](signum, frame)
    elif signum == signal.SIGALRM or _begins_burst():
        _state.came.append(signum)


def _enter() -> None:
    """Begin a section. A signal may strike between any two lines: before the last, `_note` passes it on."""
    if not _state.depth:
        _state.came.clear()
        for number in _DEFERRED:
            handler = signal.getsignal(number)
            if callable(handler) and handler is not _note:
                _state.handlers[number] = handler
                signal.signal(number, _note)
    _state.depth += 1


def _leave() -> None:
    _state.depth -= 1
    if not _state.depth:
        for number, handler in _state.handlers.items():
            if signal.getsignal(number) is _note:
                signal.signal(number, handler)
        _deliver()


def _deliver() -> None:
    """Call the handlers of the signals that came; most of them raise."""
    came, _state.came = _state.came, []  # no call between the two: a signal that strikes there would be lost
    _state.delivering = True
    try:
        for number in dict.fromkeys(came):
            _state.handlers[number](number, sys._getframe())
    finally:
        _state.delivering = False


def _take_interrupts() -> list[int]:
    """Remove and return the interrupts that came. An alarm stays until the end of the section."""
    came, _state.came = _state.came, []  # as in `_deliver`
    _state.came += [number for number in came if number == signal.SIGALRM]
    return [number for number in came if number != signal.SIGALRM]
