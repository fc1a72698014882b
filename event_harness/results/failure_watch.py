"""Looks into the on-failure queues while somebody waits for results, beside the looks into the table."""

import threading
from collections.abc import Callable

from event_harness.results.failures import Failure, FailureReader
from event_harness.results.reader import Clock

AFTER, EVERY = 1.0, 1.5
"""Seconds of silence before the first look, and between two looks."""


def in_thread(work: Callable[[], None]) -> None:
    """Run `work` beside the caller; it doesn't keep the process alive."""
    threading.Thread(target=work, name="event-harness-failures", daemon=True).start()


class FailureWatch:
    """One look at a time, in a thread of its own, and only while results are overdue.

    Args:
        failures: Reads the queues.
        silence: Seconds since the last send or arrival.
        noticed: Called after each look with what is new.
        clock: Seconds, monotonic.
        spawn: Runs a look beside the caller.
    """

    def __init__(
        self,
        failures: FailureReader,
        *,
        silence: Callable[[], float],
        noticed: Callable[[list[Failure]], None],
        clock: Clock,
        spawn: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._failures = failures
        self._silence = silence
        self._noticed = noticed
        self._clock = clock
        self._spawn = spawn
        self._lock = threading.Lock()
        self._due = clock()

    def nudge(self) -> None:
        """Start a look if it is time for one."""
        if not self._failures.queues or self._silence() < AFTER:
            return
        with self._lock:
            if self._clock() < self._due:
                return
            self._due = float("inf")  # until this look is done
        self._spawn(self.look)

    def look(self) -> None:
        """Look now, in this thread."""
        news: list[Failure] = []
        try:
            news = self._failures.look()
        finally:
            self._due = self._clock() + EVERY
            self._noticed(news)
