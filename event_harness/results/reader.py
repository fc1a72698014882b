"""One reader of the results table per process. All waits share it.

One wait leads: it starts each look that is due, in a thread of its own. The others sleep until their results
have come. So one look costs one Query, however many inputs are in flight, and wakes few of them. While no
thread waits, nothing is read.
"""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TypeVar

from event_harness.aws.errors import AWS_ERRORS, can_heal, message_of
from event_harness.machine.clock import monotonic, timestamp
from event_harness.results.background import Sleeper, Sleepers, Spawn, in_thread
from event_harness.results.look_interval import SHORTEST, Rhythm, rest
from event_harness.results.order import in_order
from event_harness.results.result import Result, unavailable
from event_harness.results.results_table import Item, ResultsTable
from event_harness.results.seen import Seen
from event_harness.results.window import OVERLAP, Window

T = TypeVar("T")
Clock = Callable[[], float]
Sleep = Callable[[float], None]

NAP = 0.25
"""Seconds that the wait that leads sleeps at most before it looks at the clock again. The one behind it
sleeps twice as long, and so on."""
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
        self._stalled = STALLED if stalled is None else stalled
        self._seen = Seen(table.result)
        self._window = Window(overlap)
        self._rhythm = Rhythm()
        self._process = os.getpid()
        self._sleepers = Sleepers()
        self._due = self._active = clock()  # time of the next look; of the last send or arrival
        self._rested = self._due  # no look begins before, unless a deadline asks for it
        self._listeners: list[Callable[[Result], None]] = []
        # Only the threads that look change the following.
        self._lock = Lock()
        self._begun = 0
        self._current = NEVER  # the latest look, until it has ended
        self._whole = self._read = NEVER  # the latest whole look that has ended; that has read the table
        self._failed: tuple[int, BaseException] | None = None  # number of the latest look that raised
        self._starting = float("-inf")  # when a thread was asked for that has not begun its look

    @property
    def queries(self) -> int:
        """How many Query calls the looks have cost."""
        return self._table.queries

    @property
    def unreadable(self) -> list[str]:
        """The items of the table that aren't results, each with the reason."""
        return [self._seen.named(event_id) for event_id in list(self._seen.unreadable)]

    def notice(self) -> None:
        """An input was sent: look often for a while, and first when a result may come, if that is known.

        Otherwise now. After a large look, its rest comes first.
        """
        now = self._active = self._clock()
        first = now + self._rhythm.first_look()
        self._due = max(first if self._sleepers.empty else min(first, self._due), self._rested)
        self._sleepers.wake_first(now)

    def wake(self, *, everybody: bool = True) -> None:
        """Let waits judge again: something outside the table has changed, such as a failure queue.

        Args:
            everybody: Otherwise those don't that wait for the results of certain inputs, and none has come.
        """
        self._sleepers.wake(self._clock(), everybody=everybody)

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

    def count(self) -> int:
        """How many results `all` would return."""
        return len(self._seen)

    def all(self) -> list[Result]:
        """All results that have been read so far, sorted by `in_order`."""
        return self._seen.all()

    def wait(
        self, found: Callable[[], T | None], deadline: float, ids: Collection[str] | None = None
    ) -> T | None:
        """Look until `found` returns something, and return that; None once the deadline has passed.

        `found` runs in this thread, without locks: once at the start, then each time that something may have
        changed. The last look begins at the deadline. The call ends with it, or `STALLED` seconds after the
        deadline if AWS hasn't answered by then.

        An exception that strikes this thread at any instruction leaves a reader that works.

        Args:
            found: Judges what is there.
            deadline: Seconds of the reader's clock.
            ids: `found` needs a result of one of these correlation ids, or what `wake` tells. Before the
                first one it isn't asked after each look. None asks after each look.

        Raises:
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        if self._process != os.getpid():
            self._after_fork()
        entered = self._begun
        latest = max(deadline, self._clock()) + self._stalled
        sleeper = self._sleepers.enter(deadline, ids, self._clock())
        try:
            while True:
                if sleeper.stirred and (value := self._judged(found, sleeper)) is not None:
                    return value
                if self._failed and self._failed[0] > entered:
                    raise self._failed[1]
                if self._whole.number > entered and self._whole.began >= deadline:
                    return None
                now = self._clock()
                if now >= latest:
                    self.last_error = f"no answer within {self._stalled:g} s"
                    return None
                pause = min(self._pause(now, sleeper), latest - now)
                sleeper.until = now + pause
                sleeper.sleep(pause, self._sleep)
                sleeper.until = self._clock()
        finally:
            self._sleepers.leave(sleeper, self._clock())

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

    def _judged(self, found: Callable[[], T | None], sleeper: Sleeper) -> T | None:
        sleeper.stirred = False
        sleeper.quiet = sleeper.ids is not None and not any(map(self._seen.has, sleeper.ids))
        if sleeper.quiet:
            return found()
        self._sleepers.busy(sleeper, self._clock())
        try:
            return found()
        finally:
            sleeper.busy = False

    def _pause(self, now: float, sleeper: Sleeper) -> float:
        """Start a look if one is due; return the seconds to sleep."""
        behind = self._sleepers.place(sleeper, now)
        nap = NAP * (1 + behind)
        due = sleeper.deadline if behind else min(self._due, sleeper.deadline)
        if (pause := due - now) > 0:
            return pause if self._sleep else min(pause, nap)
        whole = now >= sleeper.deadline
        if self._may_begin(now, whole):
            if now - self._starting >= SHORTEST:
                self._starting = now
                self._spawn(partial(self._look, whole))
            return SHORTEST
        return nap if behind else SHORTEST

    def _may_begin(self, now: float, whole: bool) -> bool:
        current = self._current
        if current is NEVER or now - current.began >= self._stalled:
            return True
        return whole and not current.whole

    def _look(self, whole: bool) -> None:
        """Look once, unless another look is on its way. Runs in a thread that no exception strikes."""
        with self._lock:
            self._starting = float("-inf")
            now = self._clock()
            if not self._may_begin(now, whole) or (now < self._due and not whole):
                return
            self._begun += 1
            look = self._current = Look(self._begun, now, whole)
        items: list[Item] = []
        news: list[Result] = []
        error: str | None = None
        try:
            since = 0 if whole else self._window.since(self._table.answered_at or timestamp())
            items, error = self._items(since)
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
            if error is None and not failed:
                self._window.read(look.began, self._seen.newest, now)
            if look.whole and look.number > self._whole.number and not failed:
                self._whole = look
                self._read = look if error is None else self._read
            if self._current is look:
                self._current = NEVER
        try:
            for result in news:
                for listener in self._listeners:
                    listener(result)
        finally:
            arrived = {result.correlation_id or "" for result in news}
            self._sleepers.wake(self._clock(), arrived, everybody=failed)

    def _after_fork(self) -> None:
        """Forget the threads of the parent, in which looks and waits may have been on their way."""
        self._process = os.getpid()
        self._sleepers, self._lock, self._current = Sleepers(), Lock(), NEVER
        self._seen.after_fork()

    def _items(self, since: int) -> tuple[list[Item], str | None]:
        """The items of one look, or none and the reason if AWS doesn't answer right now."""
        try:
            return self._table.query(self.session_id, since), None
        except AWS_ERRORS as error:
            if not can_heal(error):
                raise unavailable(f"results table {self._table.name}", error, "dynamodb:Query") from error
            return [], message_of(error)
