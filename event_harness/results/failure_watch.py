"""Looks into the on-failure queues while a test waits for results."""

import threading
from collections.abc import Callable

from event_harness.results.failures import Failure, FailureReader
from event_harness.results.reader import Clock

AFTER, EVERY = 1.0, 1.5
"""Seconds of silence before the first look, and between two looks."""


def in_thread(work: Callable[[], None]) -> None:
    """Run `work` in a thread that doesn't keep the process alive."""
    threading.Thread(target=work, name="event-harness-failures", daemon=True).start()


class FailureWatch:
    """Takes one look at a time, in its own thread, and only while results are overdue.

    Args:
        failures: Reads the queues.
        silence: Seconds since the last send or arrival.
        noticed: Called after each look with the new failures.
        clock: Seconds, monotonic.
        spawn: Runs a look in another thread.
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
