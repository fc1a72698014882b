"""Limits how many inputs are in flight at once: the emulator starts one process per concurrent event."""

import time
from collections.abc import Callable
from typing import Any

from event_harness.errors import SettingError
from event_harness.machine.clock import monotonic
from event_harness.producers.pace import Pace
from event_harness.results.sent import Sent
from event_harness.system.known_ids import KnownIds


class InFlight:
    """Holds a slot for each input that was sent and has no result yet.

    A slot becomes free at the first result or failure of its input, at the end of a wait for it, and after
    `expiry` at the latest. So a lost event can't block sending forever.

    A producer that waits for a slot reads results meanwhile, if a listener is attached. Without a listener,
    slots become free only by expiry.

    Args:
        limit: The most inputs in flight at once, per process; None for no limit; a pace learns it.
        expiry: Seconds after which an input no longer counts.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, limit: int | Pace | None, *, expiry: float = 60.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self._pace = limit if isinstance(limit, Pace) else None
        self._limit = None if isinstance(limit, Pace) else _checked(limit)
        self.noticed: Callable[[], None] = lambda: None
        self.recorded: Callable[[Sent, bytes], None] = lambda *_: None
        self._expiry = expiry
        self._clock = clock
        self._wait: Callable[[Callable[[], bool | None], float], Any] = self._wait_blindly
        # Correlation id -> when it no longer counts; the first `limit` of them hold a slot. No lock: an
        # exception that strikes between two instructions (Ctrl-C) could leave it taken.
        self._expires: dict[str, float] = {}
        self.ids = KnownIds()  # of all inputs so far

    def attach(
        self,
        *,
        wait: Callable[[Callable[[], bool | None], float], Any],
        noticed: Callable[[], None],
        expiry: float,
        clock: Callable[[], float],
        recorded: Callable[[Sent, bytes], None] = lambda *_: None,
    ) -> None:
        """Attach a listener.

        Args:
            wait: `wait(found, deadline)` looks for results until `found()` is true or the deadline is over.
            noticed: Called after each send.
            expiry: Seconds after which an input no longer counts.
            clock: The clock of `deadline`.
            recorded: Called after each send with the input and its content.
        """
        self.recorded = recorded
        self._wait, self.noticed, self._expiry, self._clock = wait, noticed, expiry, clock

    @property
    def limit(self) -> int | None:
        """The most inputs in flight at once now; None for no limit."""
        return self._pace.limit if self._pace else self._limit

    @property
    def outstanding(self) -> int:
        """The number of inputs that hold a slot now."""
        self._expire()
        return len(self._expires)

    def holders(self) -> list[str]:
        """Correlation ids of the inputs that hold a slot."""
        return list(self._expires)

    def note(self, correlation_id: str, given: str | None = None) -> None:
        """Remember an input of this id, and the id that its service has given it. It takes no slot."""
        self.ids.note(correlation_id, given)

    def enter(self, correlation_id: str) -> None:
        """Take a slot; wait for one if all are taken."""
        self.note(correlation_id)
        if self._pace and not self.outstanding:
            self._pace.paused()
        while not self._take(correlation_id):
            if self._pace:
                self._pace.full()
            deadline = min(list(self._expires.values()), default=self._clock())
            self._wait(lambda: self._has_free_slot() or None, deadline)

    def leave(self, correlation_id: str | None) -> None:
        """Free the slot of this input, if it has one."""
        if self._expires.pop(correlation_id or "", None) is not None and self._pace:
            self._pace.came()

    def _take(self, correlation_id: str) -> bool:
        self._expire()
        if not self._has_free_slot() and correlation_id not in self._expires:
            return False
        self._expires[correlation_id] = self._clock() + self._expiry
        if self.limit is None or correlation_id in list(self._expires)[: self.limit]:
            return True
        self._expires.pop(correlation_id, None)  # another thread took the last slot at the same time
        return False

    def _has_free_slot(self) -> bool:
        self._expire()
        return self.limit is None or len(self._expires) < self.limit

    def _expire(self) -> None:
        now = self._clock()
        for correlation_id in [key for key, expires in list(self._expires.items()) if expires <= now]:
            self._expires.pop(correlation_id, None)

    def _wait_blindly(self, found: Callable[[], bool | None], deadline: float) -> None:
        while not found() and self._clock() < deadline:
            time.sleep(min(0.02, max(0.0, deadline - self._clock())))


def _checked(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise SettingError(f"in-flight limit {limit!r}: must be a whole number from 1, or None (no limit)")
    return limit
