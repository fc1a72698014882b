"""One reader of the results table per process. All waits share it.

The thread that waits first leads: it queries the table for all waits, and wakes the others when a result has
come. So one look costs one Query, however many inputs are in flight. While no thread waits, nothing is read.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from event_harness.aws.errors import AWS_ERRORS, can_heal, message_of
from event_harness.machine.clock import monotonic
from event_harness.results.result import Result, unavailable
from event_harness.results.results_table import Item, ResultsTable

T = TypeVar("T")
Clock = Callable[[], float]
Sleep = Callable[[float], None]

SHORTEST, LONGEST = 0.02, 0.25
"""Seconds between two looks: the least and the most."""
OVERLAP = 10.0
"""Seconds that each look reaches back before the newest arrival. The clocks of the listener's workers differ,
and an item may become visible after another one with a later stamp."""


def interval(silence: float) -> float:
    """Seconds from one look to the next, after `silence` seconds without a send or an arrival.

    In the first ten seconds it is a tenth of the silence, 0.1 s at most; a result waits half of that on
    average. Later, milliseconds don't matter: it is a hundredth of the silence, 0.25 s at most.
    """
    return min(max(SHORTEST, min(0.1 * silence, max(0.1, 0.01 * silence))), LONGEST)


class Reader:
    """Reads the results of one test session.

    The time between two looks grows with the silence since the last send or arrival (see `interval`). It
    never reaches past a deadline. If a wait finds nothing, its last look begins at the deadline and reads the
    whole session, so no wrong clock can hide an item from it.

    Args:
        table: Holds the results.
        session_id: The test session to read.
        clock: Seconds, monotonic.
        sleep: Replaces the real pause between two looks.
        overlap: Seconds, see `OVERLAP`.
    """

    def __init__(
        self,
        table: ResultsTable,
        session_id: str,
        *,
        clock: Clock = monotonic,
        sleep: Sleep | None = None,
        overlap: float = OVERLAP,
    ) -> None:
        self.session_id = session_id
        self.looks = 0
        self.last_error: str | None = None  # why the last look read nothing; None if it read the table
        self._table = table
        self._clock = clock
        self._sleep = sleep
        self._overlap = overlap
        self._changed = threading.Condition(threading.RLock())
        self._version = 0  # goes up with each look and each wake: waits judge again
        self._leading = self._looking = False
        self._newest = 0  # received_at of the newest item seen, epoch ms
        self._due = self._active = clock()  # time of the next look; of the last send or arrival
        self._begun = 0  # looks that have begun
        self._whole = (0, float("-inf"))  # number and start of the latest look that read the whole session
        # event id -> its newest delivery (received_at and count, as stored) and result
        self._by_event: dict[str, tuple[tuple[str, str | None], Result]] = {}
        self._by_correlation: dict[str, dict[str, Result]] = defaultdict(dict)
        self._ignored: set[str | None] = set()
        self._listeners: list[Callable[[Result], None]] = []

    @property
    def queries(self) -> int:
        """How many Query calls the looks have cost."""
        return self._table.queries

    def notice(self) -> None:
        """Look now, and often for a while: an input was sent."""
        with self._changed:
            self._due = self._active = self._clock()
            self._changed.notify_all()

    def wake(self) -> None:
        """Let every wait judge again: something outside the table has changed, such as a failure queue."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def subscribe(self, listener: Callable[[Result], None]) -> None:
        """Call `listener` with each new result, in the thread that read it. A redelivery is no new result."""
        self._listeners.append(listener)

    def ignore(self, correlation_id: str) -> None:
        """Leave the results of this id out of `all`: it isn't an input of a test."""
        with self._changed:
            self._ignored.add(correlation_id)

    def silence(self) -> float:
        """Seconds since the last send or arrival."""
        return self._clock() - self._active

    def has(self, correlation_id: str) -> bool:
        """Whether a result of this correlation id has been read."""
        return correlation_id in self._by_correlation

    def of(self, correlation_id: str) -> list[Result]:
        """The results of this correlation id that have been read so far, in `Result.order`."""
        with self._changed:
            return sorted(
                self._by_correlation.get(correlation_id, {}).values(), key=lambda result: result.order
            )

    def all(self) -> list[Result]:
        """All results that have been read so far, in `Result.order`."""
        with self._changed:
            found = [result for _, result in self._by_event.values()]
        kept = (result for result in found if result.correlation_id not in self._ignored)
        return sorted(kept, key=lambda result: result.order)

    def wait(self, found: Callable[[], T | None], deadline: float) -> T | None:
        """Look until `found` returns something, and return that; None once the deadline has passed.

        `found` runs in this thread, without locks: once at the start, then each time that something may have
        changed. The last look begins at the deadline, so the call may end one Query after it.

        Raises:
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        leading = False
        judged, entered = -1, self._begun
        try:
            while True:
                if self._version != judged:
                    judged = self._version
                    value = found()
                    if value is not None:
                        return value
                with self._changed:
                    if self._version != judged:
                        continue
                    number, since = self._whole
                    if number > entered and since >= deadline:
                        return None
                    if self._looking:
                        self._changed.wait(SHORTEST)
                        continue
                    if not self._leading:
                        leading = self._leading = True
                    now = self._clock()
                    pause = (min(self._due, deadline) if leading else deadline) - now
                    if pause > 0:
                        self._pause(pause, leading)
                        continue
                    self._looking = True
                    self._begun += 1
                    if leading:
                        # Judging may take long: let another thread lead meanwhile.
                        self._leading = leading = False
                self._look(whole=now >= deadline)
        finally:
            if leading:
                with self._changed:
                    self._leading = False
                    self._changed.notify_all()

    def look(self) -> None:
        """Read the whole session once, now."""
        self.wait(lambda: None, self._clock())

    def other(self, session_id: str) -> list[Result]:
        """Read all results of another session, or of `uncorrelated`, once, now, in `Result.order`.

        Raises:
            ResultsUnavailableError: The table can't be read.
        """
        try:
            items = self._table.query(session_id)
        except AWS_ERRORS as error:
            raise unavailable(f"results table {self._table.name}", error, "dynamodb:Query") from error
        return sorted(map(self._table.result, items), key=lambda result: result.order)

    def _pause(self, seconds: float, leading: bool) -> None:
        """Wait until something changes or the time has passed. The lock is held on entry and on exit."""
        if not leading:
            self._changed.wait(min(seconds, LONGEST))
            return
        if self._sleep is None:
            self._changed.wait(seconds)
            return
        self._changed.release()
        try:
            self._sleep(seconds)
        finally:
            self._changed.acquire()

    def _look(self, whole: bool) -> None:
        began = self._clock()
        news: list[Result] = []
        try:
            news = self._merge(self._items(0 if whole else max(0, self._newest - int(self._overlap * 1000))))
        finally:
            with self._changed:
                now = self._clock()
                if news:
                    self._active = now
                self._due = now + interval(now - self._active)
                self.looks += 1
                self._version += 1
                self._looking = False
                if whole:
                    self._whole = (self._begun, began)
                if news or whole:
                    self._changed.notify_all()
        for result in news:
            for listener in self._listeners:
                listener(result)

    def _items(self, since: int) -> list[Item]:
        """The items of one look; none if AWS doesn't answer right now."""
        try:
            items = self._table.query(self.session_id, since)
        except AWS_ERRORS as error:
            if not can_heal(error):
                raise unavailable(f"results table {self._table.name}", error, "dynamodb:Query") from error
            self.last_error = message_of(error)
            return []
        self.last_error = None
        return items

    def _merge(self, items: Iterable[Item]) -> list[Result]:
        """Take over new results and redeliveries; return the new results."""
        news = []
        for item in items:
            event_id, received_at = item["event_id"]["S"], item["received_at"]["N"]
            delivery = (received_at, item.get("deliveries", {}).get("N"))
            known = self._by_event.get(event_id)
            if known and known[0] == delivery:
                continue
            result = self._table.result(item)
            with self._changed:
                self._newest = max(self._newest, int(received_at))
                self._by_event[event_id] = (delivery, result)
                self._by_correlation[result.correlation_id or ""][event_id] = result
            if not known:
                news.append(result)
        return news
