"""One reader of the results table per process. All waits share it.

A wait that finds a look due starts one, in a thread of its own; the others sleep until it has ended. So one
look costs one Query, however many inputs are in flight. While no thread waits, nothing is read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TypeVar

from event_harness.aws.errors import AWS_ERRORS, can_heal, message_of
from event_harness.machine.clock import monotonic, timestamp
from event_harness.results.background import Sleepers, Spawn, in_thread
from event_harness.results.look_interval import SHORTEST, Rhythm, rest
from event_harness.results.order import in_order
from event_harness.results.result import Result, unavailable
from event_harness.results.results_table import Item, ResultsTable
from event_harness.results.seen import Seen

T = TypeVar("T")
Clock = Callable[[], float]
Sleep = Callable[[float], None]

OVERLAP = 10.0
"""Seconds that each look reaches back before the newest arrival. The clocks of the listener's workers differ,
and an item may become visible after another one with a later stamp."""
NAP = 0.25
"""Seconds that a wait sleeps at most before it looks at the clock again."""
STALLED = 5.0
"""Seconds after which a look without an answer keeps no other from beginning, and no wait from ending. An
emulator has `STALLED_ON_EMULATOR`: it runs on a machine that may be busy, and it loses no answer."""
STALLED_ON_EMULATOR = 60.0


@dataclass(frozen=True)
class Look:
    """One look into the table.

    Attributes:
        number: Looks are numbered from 1.
        began: When it began, in seconds of the reader's clock.
        whole: It reads the whole session, not only the newest arrivals.
    """

    number: int
    began: float
    whole: bool


NEVER = Look(0, float("-inf"), whole=True)


class Reader:
    """Reads the results of one test session.

    The time between two looks depends on the silence since the last send or arrival, and on when earlier
    results have come (see `Rhythm`). It never reaches past a deadline. If a wait finds nothing, its last look
    begins at the deadline and reads the whole session, so no wrong clock can hide an item from it.

    Args:
        table: Holds the results.
        session_id: The test session to read.
        clock: Seconds, monotonic.
        sleep: Replaces the real pause between two looks.
        spawn: Runs a look in another thread.
        overlap: Seconds, see `OVERLAP`.
        stalled: Seconds, see `STALLED`, which is the default.
    """

    def __init__(
        self,
        table: ResultsTable,
        session_id: str,
        *,
        clock: Clock = monotonic,
        sleep: Sleep | None = None,
        spawn: Spawn = in_thread,
        overlap: float = OVERLAP,
        stalled: float | None = None,
    ) -> None:
        self.session_id = session_id
        self.looks = 0
        self.last_error: str | None = None  # why the last look read nothing; None if it read the table
        self._table = table
        self._clock = clock
        self._sleep = sleep
        self._spawn = spawn
        self._overlap = overlap
        self._stalled = STALLED if stalled is None else stalled
        self._seen = Seen(table.result)
        self._rhythm = Rhythm()
        self._sleepers = Sleepers()
        self._version = object()  # another one after each look and each wake: waits judge again
        self._due = self._active = clock()  # time of the next look; of the last send or arrival
        self._rested = self._due  # no look begins before, unless a deadline asks for it
        self._listeners: list[Callable[[Result], None]] = []
        # Only the threads that look change the following.
        self._lock = Lock()
        self._begun = 0
        self._current = NEVER  # the latest look, until it has ended
        self._whole = self._read = NEVER  # the latest whole look that has ended; that has read the table
        self._failed: tuple[int, BaseException] | None = None  # number of the latest look that raised

    @property
    def queries(self) -> int:
        """How many Query calls the looks have cost."""
        return self._table.queries

    @property
    def unreadable(self) -> list[str]:
        """The items of the table that aren't results, each with the reason."""
        return [self._seen.named(event_id) for event_id in list(self._seen.unreadable)]

    def notice(self) -> None:
        """Look now, and often for a while: an input was sent. After a large look, its rest comes first."""
        self._active = self._clock()
        self._due = max(self._active, self._rested)
        self._sleepers.wake()

    def wake(self) -> None:
        """Let every wait judge again: something outside the table has changed, such as a failure queue."""
        self._version = object()
        self._sleepers.wake()

    def subscribe(self, listener: Callable[[Result], None]) -> None:
        """Call `listener` with each new result, in the thread that read it. A redelivery is no new result."""
        self._listeners.append(listener)

    def ignore(self, correlation_id: str) -> None:
        """Leave the results of this id out of `all`: it isn't an input of a test."""
        self._seen.ignore(correlation_id)

    def silence(self) -> float:
        """Seconds since the last send or arrival."""
        return self._clock() - self._active

    def has(self, correlation_id: str) -> bool:
        """Whether a result of this correlation id has been read."""
        return self._seen.has(correlation_id)

    def of(self, correlation_id: str) -> list[Result]:
        """The results of this correlation id that have been read so far, sorted by `in_order`."""
        return self._seen.of(correlation_id)

    def all(self) -> list[Result]:
        """All results that have been read so far, sorted by `in_order`."""
        return self._seen.all()

    def wait(self, found: Callable[[], T | None], deadline: float) -> T | None:
        """Look until `found` returns something, and return that; None once the deadline has passed.

        `found` runs in this thread, without locks: once at the start, then each time that something may have
        changed. The last look begins at the deadline. The call ends with it, or `STALLED` seconds after the
        deadline if AWS hasn't answered by then.

        An exception that strikes this thread at any instruction leaves a reader that works.

        Raises:
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        entered, judged = self._begun, None
        latest = max(deadline, self._clock()) + self._stalled
        while True:
            sleeper = self._sleepers.enter()
            try:
                if self._version is not judged:
                    judged = self._version
                    value = found()
                    if value is not None:
                        return value
                if self._failed and self._failed[0] > entered:
                    raise self._failed[1]
                if self._whole.number > entered and self._whole.began >= deadline:
                    return None
                if self._clock() >= latest:
                    self.last_error = f"no answer within {self._stalled:g} s"
                    return None
                if self._version is judged and (pause := self._pause(deadline)):
                    self._sleep(pause) if self._sleep else sleeper.acquire(timeout=pause)
            finally:
                self._sleepers.leave(sleeper)

    def look(self) -> None:
        """Read the whole session once, now."""
        self.wait(lambda: None, self._clock())

    def see(self, since: float, patience: float) -> bool:
        """Read the whole session in a look that begins at `since` or later.

        AWS may not answer. Then look again and again, for `patience` seconds.

        Args:
            since: Seconds of the reader's clock.
            patience: Seconds.

        Returns:
            Whether such a look has read the table.

        Raises:
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        until = max(self._clock(), since) + patience
        pause = 0.0
        while self._read.began < since:
            now = self._clock()
            if now >= until:
                return False
            self.wait(lambda: self._read.began >= since or None, min(max(now, since) + pause, until))
            pause = NAP
        return True

    def other(self, session_id: str) -> list[Result]:
        """Read all results of another session, or of `uncorrelated`, once, now, sorted by `in_order`.

        Raises:
            ResultsUnavailableError: The table can't be read.
        """
        try:
            items = self._table.query(session_id)
        except AWS_ERRORS as error:
            raise unavailable(f"results table {self._table.name}", error, "dynamodb:Query") from error
        return in_order(Seen(self._table.result).merge(items))

    def _pause(self, deadline: float) -> float:
        """Start a look if one is due; return the seconds to sleep, 0 if something has changed already."""
        now = self._clock()
        if (pause := min(self._due, deadline) - now) > 0:
            return pause if self._sleep else min(pause, NAP)
        whole = now >= deadline
        if self._may_begin(now, whole):
            version = self._version
            self._spawn(partial(self._look, whole))
            if self._version is not version:
                return 0.0
        return SHORTEST

    def _may_begin(self, now: float, whole: bool) -> bool:
        current = self._current
        if current is NEVER or now - current.began >= self._stalled:
            return True
        return whole and not current.whole

    def _look(self, whole: bool) -> None:
        """Look once, unless another look is on its way. Runs in a thread that no exception strikes."""
        with self._lock:
            now = self._clock()
            if not self._may_begin(now, whole) or (now < self._due and not whole):
                return
            self._begun += 1
            look = self._current = Look(self._begun, now, whole)
        items: list[Item] = []
        news: list[Result] = []
        error: str | None = None
        try:
            items, error = self._items(0 if whole else self._since())
            news = self._seen.merge(items)
        except BaseException as failure:
            self._failed = (look.number, failure)
        finally:
            self._end(look, len(items), news, error)

    def _end(self, look: Look, items: int, news: list[Result], error: str | None) -> None:
        with self._lock:
            now = self._clock()
            if news:
                self._rhythm.came(now - self._active)
                self._active = now
            self._rested = now + rest(items)
            interval = self._rhythm.interval(now - self._active)
            self._due = max(look.began + interval, now + SHORTEST, self._rested)
            self.looks += 1
            failed = self._failed is not None and self._failed[0] == look.number
            if not failed:
                self.last_error = error
            if look.whole and look.number > self._whole.number and not failed:
                self._whole = look
                self._read = look if error is None else self._read
            if self._current is look:
                self._current = NEVER
            self._version = object()
        for result in news:
            for listener in self._listeners:
                listener(result)
        self._sleepers.wake()

    def _since(self) -> int:
        """The arrival (epoch ms) from which a look reads: a stamp in the future doesn't move it past now."""
        now = self._table.answered_at or timestamp()
        return max(0, min(self._seen.newest, int(now * 1000)) - int(self._overlap * 1000))

    def _items(self, since: int) -> tuple[list[Item], str | None]:
        """The items of one look, or none and the reason if AWS doesn't answer right now."""
        try:
            return self._table.query(self.session_id, since), None
        except AWS_ERRORS as error:
            if not can_heal(error):
                raise unavailable(f"results table {self._table.name}", error, "dynamodb:Query") from error
            return [], message_of(error)
