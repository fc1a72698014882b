"""Ctrl-C, SIGTERM and SIGHUP: each ends a deployment in order, and none ends a destroy by accident."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Python drops an exception that a signal raises inside a finalizer or a fork hook, with a line on stderr:
# what has to end in order also looks here.
_pending = threading.Event()


def pending() -> bool:
    """Whether an interrupt came that nothing has been torn down for yet."""
    return _pending.is_set()


def _ours() -> list[signal.Signals]:
    """The signals that end a deployment; not a hang-up that `nohup` has said to ignore."""
    hang_up = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hang_up]


@contextmanager
def orderly_interrupts() -> Iterator[None]:
    """Make these signals raise KeyboardInterrupt, and not be lost, so that all is torn down in order."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers; it has done so
        return

    def interrupt(signum: int, _frame: FrameType | None) -> None:
        _pending.set()
        raise KeyboardInterrupt(signal.Signals(signum).name)

    before = {number: signal.signal(number, interrupt) for number in _ours()}
    try:
        yield
    finally:
        _pending.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """Keep interrupts until the end of the block: an exception within it would lose what it begins.

    A process that is started isn't known to anybody before its `Popen` has returned.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals raise nothing here
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda signum, _frame: came.append(signum)) for number in _ours()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for signum in came:
            signal.raise_signal(signum)


@contextmanager
def shielded(say: Callable[[str], None], what: str) -> Iterator[None]:
    """Let one interrupt pass by with a line of explanation; the next one gets through.

    Args:
        say: prints a line.
        what: what is going on, e.g. "destroying run d01".
    """
    _pending.clear()  # this is what it was about
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ours()}

    def explain(_signum: int, _frame: FrameType | None) -> None:
        say(f"still {what}: wait for its end, or interrupt once more to leave it unfinished")
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, explain)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
