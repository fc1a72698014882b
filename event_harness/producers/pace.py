"""The limit of inputs in flight where nobody has set it: the one that gives the most results a second."""

from collections.abc import Callable

from event_harness.machine.clock import monotonic

FIRST, MOST = 4, 32
"""Inputs in flight on a local emulator: at first, and at most."""
STEP = 1.5
BETTER = 1.05
"""A rate is better if it is this many times the one before. Less may be chance."""
ROUND, SHORTEST_ROUND = 2, 20
"""Results in a round: a multiple of the limit, and the least. Fewer would measure chance."""
ENOUGH, TOO_MUCH = 1000.0, 1400.0
"""MB that the emulator takes: from the first on the limit no longer grows, from the second on it shrinks."""


class Pace:
    """Climbs to the limit with the most results a second: a step on while it gets better, else a step back.

    The emulator starts a worker (a process) for each event that finds no free one. Each step lets a few more
    start, so no burst of cold starts can happen. The rate of a round tells whether more workers help, which
    depends on the machine and on the functions.

    Only rounds in which a producer had to wait for a slot tell something. A pause begins a new round.

    Args:
        first: The limit at first. Only too much memory makes it smaller.
        most: The highest limit.
        memory: MB that the emulator takes; None if unknown, and then the limit never grows.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        first: int,
        most: int,
        memory: Callable[[], float | None],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.limit = first
        self._first = first
        self._most = most
        self._memory = memory
        self._clock = clock
        self._up = True
        self._rate = 0.0  # of the round before
        self._began: float | None = None
        self._results = 0

    def paused(self) -> None:
        """Nothing was in flight: the round that has begun tells nothing."""
        self._began = None

    def full(self) -> None:
        """A producer waits for a slot. The round ends if it has enough results."""
        now = self._clock()
        if self._began is None:
            self._began, self._results = now, 0
        elif self._results >= max(ROUND * self.limit, SHORTEST_ROUND) and now > self._began:
            rate = self._results / (now - self._began)
            self._turn(rate)
            self._began, self._results = self._clock(), 0

    def came(self) -> None:
        """An input has left its slot."""
        self._results += 1

    def _turn(self, rate: float) -> None:
        better, self._rate = rate >= BETTER * self._rate, rate
        self._up = better is self._up or self.limit <= self._first
        memory = self._memory()
        if memory is None:
            return
        if memory >= TOO_MUCH:
            self.limit = max(1, int(self.limit / STEP))
        elif not self._up:
            self.limit = max(self._first, int(self.limit / STEP))
        elif memory < ENOUGH:
            self.limit = min(self._most, max(self.limit + 1, int(self.limit * STEP)))
