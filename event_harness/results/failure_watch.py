"""Looks into the failure queues while a test waits for results."""

from collections.abc import Callable
from threading import Lock

from event_harness.results.background import Spawn, in_thread
from event_harness.results.failures import Failure, FailureReader
from event_harness.results.reader import Clock

AFTER, EVERY = 1.0, 1.5
"""Seconds of silence before the first look, and between two looks."""


class FailureWatch:
    """Takes one look at a time, in its own thread, and only while results are overdue.

    An exception that strikes a waiting thread at any instruction leaves a watch that works.

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
        spawn: Spawn = in_thread,
    ) -> None:
        self._failures = failures
        self._silence = silence
        self._noticed = noticed
        self._clock = clock
        self._spawn = spawn
        self._looking = Lock()  # held by the thread that looks
        self._due = clock()

    def nudge(self) -> None:
        """Start a look if results are overdue, and the last look is long enough ago."""
        if self._silence() >= AFTER and self._clock() >= self._due:
            self.start()

    def start(self) -> None:
        """Start a look, unless one is on its way."""
        if self._failures.queues and not self._looking.locked():
            self._spawn(self._look)

    def _look(self) -> None:
        if not self._looking.acquire(blocking=False):
            return
        news: list[Failure] = []
        try:
            news = self._failures.look()
        finally:
            self._due = self._clock() + EVERY
            self._looking.release()
            self._noticed(news)
