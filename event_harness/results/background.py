"""Runs reads of AWS in threads of their own, and lets waiting threads sleep until one has news.

An asynchronous exception (Ctrl-C, pytest-timeout) strikes a waiting thread at any instruction. So a waiting
thread changes nothing that must be changed back: it starts threads, and it sleeps. `threading` is no help:
its threads and conditions take locks in Python, and an exception between two instructions leaves them taken.
"""

import _thread
from collections.abc import Callable, Collection

Spawn = Callable[[Callable[[], None]], None]

OVERSLEPT = 0.5
"""Seconds after which one that should have woken up leads no longer: an exception may have struck it."""


def in_thread(work: Callable[[], None]) -> None:
    """Run `work` in a thread that doesn't keep the process alive."""
    _thread.start_new_thread(work, ())


class Sleeper:
    """One thread that waits.

    Attributes:
        deadline: When it needs a look of its own, seconds.
        ids: The correlation ids whose results it waits for; None if any look may be news for it.
        stirred: There may be news for it.
        quiet: Only a result of its ids is news for it.
        busy: It asks a test's own code, which may take long.
        until: When it wakes up by itself, seconds.
    """

    def __init__(self, deadline: float, ids: Collection[str] | None, until: float) -> None:
        self.deadline = deadline
        self.ids = None if ids is None else frozenset(ids)
        self.stirred = True
        self.quiet = self.busy = False
        self.until = until
        self._lock = _thread.allocate_lock()  # free once it is woken
        self._lock.acquire()

    def sleep(self, seconds: float, instead: Callable[[float], None] | None = None) -> None:
        """Sleep until `wake`, and no longer than this. A wake since the last sleep ends it at once.

        Args:
            seconds: The longest time.
            instead: Replaces the real sleep.
        """
        if instead is None:
            self._lock.acquire(timeout=seconds)
        elif not self._lock.acquire(blocking=False):
            instead(seconds)
            self._lock.acquire(blocking=False)

    def wake(self, *, stirred: bool = False) -> None:
        """End the sleep, or the next one. `stirred`: there may be news."""
        self.stirred = self.stirred or stirred
        try:
            self._lock.release()
        except RuntimeError:
            return  # it was woken before


class Sleepers:
    """Threads that wait, in the order in which they came.

    The first one that isn't busy leads: it alone wakes up for each look. So the cost doesn't grow with their
    number. Whoever goes wakes the next one. If an exception kept it from that, the others find out: each
    looks sometimes whether it leads now, the later it came the more rarely.
    """

    def __init__(self) -> None:
        self._line: list[Sleeper] = []

    @property
    def empty(self) -> bool:
        """Whether nobody waits."""
        return not self._line

    def enter(self, deadline: float, ids: Collection[str] | None, now: float) -> Sleeper:
        """Join the end of the line. From now on a wake reaches this sleeper, so look for news after it."""
        sleeper = Sleeper(deadline, ids, now)
        self._line.append(sleeper)
        return sleeper

    def leave(self, sleeper: Sleeper, now: float) -> None:
        """Leave the line."""
        led = self._first() is sleeper
        self._remove(sleeper)
        if led:
            self.wake_first(now)

    def busy(self, sleeper: Sleeper, now: float) -> None:
        """Let others lead for as long as this one asks a test's own code."""
        led = self._first() is sleeper
        sleeper.busy = True
        if led:
            self.wake_first(now)

    def place(self, sleeper: Sleeper, now: float) -> int:
        """How many are before this one; 0 if it leads. Those that have overslept are let go."""
        while (first := self._first()) and first is not sleeper and first.until + OVERSLEPT < now:
            self._remove(first)
            first.wake(stirred=True)  # if it is only slow, it joins again
            self.wake_first(now)
        if first is sleeper:
            return 0
        try:
            return self._line.index(sleeper) or 1
        except ValueError:  # it was let go, and news may have passed it by
            self._line.append(sleeper)
            sleeper.wake(stirred=True)
            return len(self._line) - 1

    def wake_first(self, now: float) -> None:
        """Wake the one that leads."""
        if first := self._first():
            first.until = min(first.until, now)
            first.wake()

    def wake(self, now: float, arrived: Collection[str] = (), *, everybody: bool = False) -> None:
        """Wake those for whom a look may have been news: the one that leads, and those that aren't quiet.

        Args:
            now: Seconds.
            arrived: Correlation ids of new results. Quiet ones that wait for one of them wake up, too.
            everybody: All wake up.
        """
        first = self._first()
        for one in list(self._line):
            ids = one.ids if one.quiet else None
            if everybody or one is first or ids is None or one.deadline <= now or not ids.isdisjoint(arrived):
                one.wake(stirred=True)

    def _first(self) -> Sleeper | None:
        return next((one for one in self._line if not one.busy), None)

    def _remove(self, sleeper: Sleeper) -> None:
        try:
            self._line.remove(sleeper)
        except ValueError:
            return  # it was let go
