"""A wait while a debugger may stand in a function: its deadline stands still meanwhile."""

from collections.abc import Callable, Collection
from typing import Protocol, TypeVar

from event_harness.results.look_interval import SHORTEST
from event_harness.results.reader import Clock, Reader, Sleep

T = TypeVar("T")

_LOOK = 0.25  # seconds between two looks at the debugger


class Wait(Protocol):
    """`Reader.wait`, or what stands for it."""

    def __call__(
        self, found: Callable[[], T | None], deadline: float, ids: Collection[str] | None
    ) -> T | None:
        """See `Reader.wait`."""


def wait_of(reader: Reader, debugged: Callable[[], bool] | None, clock: Clock, sleep: Sleep) -> Wait:
    """`reader.wait`, or one whose time with a debugger doesn't count: it looks often, and counts the rest.

    Args:
        reader: Waits.
        debugged: Whether a debugger is attached now; None if none can be.
        clock: The clock of the deadlines.
        sleep: Pauses while a debugger is attached.
    """
    if debugged is None:
        return reader.wait

    def wait(found: Callable[[], T | None], deadline: float, ids: Collection[str] | None) -> T | None:
        """As `reader.wait`."""
        left = deadline - clock()
        while True:
            began = clock()
            value = reader.wait(found, began + max(0.0, min(left, _LOOK)), ids)
            if value is not None:
                return value
            if debugged():
                sleep(SHORTEST)
                continue
            left -= clock() - began
            if left <= 0:
                return None

    return wait
