"""Bounds how many inputs are on their way at once: an emulator's workers are processes without a bound."""

import threading
import time
from collections.abc import Callable
from typing import Any

from event_harness.errors import SettingError


class InFlight:
    """Slots for inputs that were sent and whose output hasn't come.

    A slot is freed by the first result or failure of its input, by the end of a wait for it, and in any case
    after `expiry`, so that a lost event doesn't block the sending forever.

    Whoever waits for a slot reads the results meanwhile, once a listener is attached; without one, a slot
    comes free by expiry alone.

    Args:
        limit: Most inputs on their way at once, per process; None for no bound.
        expiry: Seconds after which an input no longer counts.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, limit: int | None, *, expiry: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise SettingError(
                f"in-flight limit {limit!r}: must be a whole number from 1, or None (no bound)"
            )
        self.limit = limit
        self.noticed: Callable[[], None] = lambda: None
        self._expiry = expiry
        self._clock = clock
        self._wait: Callable[[Callable[[], bool | None], float], Any] = self._wait_blindly
        self._lock = threading.Lock()
        self._expires: dict[str, float] = {}  # correlation id -> when it no longer counts
        self._known: set[str] = set()  # correlation ids of all inputs so far

    def attach(
        self,
        *,
        wait: Callable[[Callable[[], bool | None], float], Any],
        noticed: Callable[[], None],
        expiry: float,
        clock: Callable[[], float],
    ) -> None:
        """Make a listener serve it.

        Args:
            wait: `wait(found, deadline)` looks for results until `found()` is true or the deadline passed.
            noticed: Called after each send.
            expiry: Seconds after which an input no longer counts.
            clock: The clock of `deadline`.
        """
        self._wait, self.noticed, self._expiry, self._clock = wait, noticed, expiry, clock

    @property
    def outstanding(self) -> int:
        """How many inputs count at the moment."""
        with self._lock:
            self._expire()
            return len(self._expires)

    def ids(self) -> list[str]:
        """Correlation ids of the inputs that hold a slot."""
        with self._lock:
            return list(self._expires)

    def note(self, correlation_id: str) -> None:
        """There is an input of this id, whoever sends it; it takes no slot."""
        self._known.add(correlation_id)

    def knows(self, correlation_id: str | None) -> bool:
        """Whether there has been an input of this id."""
        return correlation_id in self._known

    def enter(self, correlation_id: str) -> None:
        """Take a slot, waiting for one if all are taken."""
        self.note(correlation_id)
        while not self._take(correlation_id):
            with self._lock:
                deadline = min(self._expires.values(), default=self._clock())
            self._wait(lambda: self._has_room() or None, deadline)

    def leave(self, correlation_id: str | None) -> None:
        """Free the slot of this input; nothing happens if it has none."""
        with self._lock:
            self._expires.pop(correlation_id or "", None)

    def _take(self, correlation_id: str) -> bool:
        with self._lock:
            self._expire()
            full = self.limit is not None and len(self._expires) >= self.limit
            if full and correlation_id not in self._expires:
                return False
            self._expires[correlation_id] = self._clock() + self._expiry
            return True

    def _has_room(self) -> bool:
        with self._lock:
            self._expire()
            return self.limit is None or len(self._expires) < self.limit

    def _expire(self) -> None:
        now = self._clock()
        for correlation_id in [key for key, expires in self._expires.items() if expires <= now]:
            del self._expires[correlation_id]

    def _wait_blindly(self, found: Callable[[], bool | None], deadline: float) -> None:
        while not found() and self._clock() < deadline:
            time.sleep(min(0.02, max(0.0, deadline - self._clock())))
