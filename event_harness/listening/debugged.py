"""A wait while a debugger may stand in a function: its deadline stands still meanwhile."""

from collections.abc import Callable
from typing import TypeVar

from event_harness.results.look_interval import SHORTEST
from event_harness.results.reader import Clock, Reader, Sleep

T = TypeVar("T")

_LOOK = 0.25  # seconds between two looks at the debugger


def wait_undebugged(
    reader: Reader,
    found: Callable[[], T | None],
    deadline: float,
    *,
    debugged: Callable[[], bool],
    clock: Clock,
    sleep: Sleep,
) -> T | None:
    """As `reader.wait`, but the time with a debugger doesn't count: look often, and count the rest."""
    left = deadline - clock()
    while True:
        began = clock()
        value = reader.wait(found, began + max(0.0, min(left, _LOOK)))
        if value is not None:
            return value
        if debugged():
            sleep(SHORTEST)
            continue
        left -= clock() - began
        if left <= 0:
            return None
