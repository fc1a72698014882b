"""Ctrl-C and SIGTERM: both end a run in order, and neither ends a destroy by accident."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt, as Ctrl-C does, so that everything is torn down in order."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers; it has done so
        return

    def interrupt(_signum: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt("SIGTERM")

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def shielded(say: Callable[[str], None], what: str) -> Iterator[None]:
    """Let one interrupt pass by with a line of explanation; the next one gets through.

    Args:
        say: prints a line.
        what: what is going on, e.g. "destroying run r01".
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

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
