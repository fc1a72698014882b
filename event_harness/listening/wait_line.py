"""One line about the inputs of a wait that lasts: how many have arrived, and where the others are."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from event_harness.machine.clock import monotonic
from event_harness.tracing.timeline import Timeline

AFTER = 2.0
"""Seconds of a wait after which the line appears."""
_EVERY = 1.0  # seconds between two readings of the logs
_SHARE = 20  # the readings take at most one in so many seconds
_NAMED = 3  # components that the line names


class WaitLine:
    """Shows one line while waits last, in one thread of its own: no wait becomes slower by it.

    Args:
        trace: Returns the timelines of inputs, by correlation id; it may ask AWS.
        show: Shows a line in place of the one before; an empty text removes it. None shows nothing.
        after: Seconds of a wait after which the line appears.
        every: Seconds between two readings.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        trace: Callable[[], Sequence[Timeline]] = tuple,
        show: Callable[[str], None] | None = None,
        *,
        after: float = AFTER,
        every: float = _EVERY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._trace = trace
        self._show = show
        self._after = after
        self._every = every
        self._clock = clock
        self._lock = threading.Lock()
        self._waits: dict[int, tuple[float, Sequence[str]]] = {}  # the waits of all threads
        self._over: threading.Event | None = None  # ends the thread; None if there is none

    @contextmanager
    def during(self, ids: Sequence[str]) -> Iterator[None]:
        """Show where these inputs are for as long as the block lasts. The sequence may grow meanwhile."""
        if self._show is None:
            yield
            return
        key = id(ids)
        self._waits[key] = (self._clock(), ids)
        self._start()
        try:
            yield
        finally:
            self._waits.pop(key, None)
            if not self._waits and (over := self._over):
                over.set()
            self._tell("")

    def _start(self) -> None:
        """Start the thread, unless there is one. Two at once do no harm."""
        if self._over is None:
            over = self._over = threading.Event()
            thread = threading.Thread(
                target=self._follow, args=(over,), name="event-harness-wait", daemon=True
            )
            thread.start()

    def _follow(self, over: threading.Event) -> None:
        pause = self._after
        while not over.wait(pause):
            began = self._clock()
            try:
                timelines = self._trace()
            except Exception:  # the line is an extra: the wait itself tells what is wrong
                timelines = ()
            pause = max(self._every, _SHARE * (self._clock() - began))
            if not over.is_set():
                self._tell(self.text(timelines))
                if over.is_set():  # the wait ended meanwhile
                    self._tell("")
        self._over = None
        if self._waits:  # one has begun while this thread was ending
            self._start()

    def _tell(self, text: str) -> None:
        """Show a text. It never waits for long: an exception may have left the lock taken."""
        if self._show is None or not self._lock.acquire(timeout=1.0):
            return
        try:
            with suppress(OSError, ValueError):
                self._show(text)
        finally:
            self._lock.release()

    def text(self, timelines: Sequence[Timeline]) -> str:
        """The line about all waits that last now."""
        waits = list(self._waits.values())
        ids = {one for _, inputs in waits for one in list(inputs)}
        waited = self._clock() - min((began for began, _ in waits), default=self._clock())
        mine = [one for one in timelines if one.correlation_id in ids]
        arrived = sum(bool(one.arrivals) for one in mine)
        told = [f"waiting {waited:.0f} s", f"{arrived} of {len(ids)} arrived"]
        failed = sum(one.state == "failed" for one in mine)
        if failed:
            told.append(f"{failed} failed")
        places = Counter(place(one) for one in mine if not one.arrivals and one.state != "failed")
        shown = [f"{count} {where}" if len(ids) > 1 else where for where, count in places.most_common(_NAMED)]
        more = len(places) - _NAMED
        if more > 0:
            shown.append(f"and {more} more places")
        return "; ".join([", ".join(told), *([", ".join(shown)] if shown else [])])


def place(timeline: Timeline) -> str:
    """Where an event is known to have been last, in a few words."""
    for visit in reversed(timeline.visits):
        if visit.running:
            return f"running in {visit.component}"
        if visit.error:
            tries = f" ({len(visit.attempts)} attempts)" if len(visit.attempts) > 1 else ""
            return f"error in {visit.component}{tries}"
        if visit.attempts:
            return f"left {visit.component}" if visit.end is not None else f"was in {visit.component}"
        if visit.at is not None:
            return f"sent to {visit.component}" if visit.at == timeline.sent_at else f"in {visit.component}"
    return f"sent to {timeline.component}" if timeline.component else "not seen yet"
