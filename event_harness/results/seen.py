"""The results of a session that have been read so far."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

from event_harness.errors import printable
from event_harness.results.order import in_order
from event_harness.results.result import Result
from event_harness.results.results_table import Item

_log = logging.getLogger("event_harness")


class Seen:
    """Takes items of the table, and hands out results. Threads may share it; readers need no lock.

    Anybody with access may have written an item. One that isn't a result is named once, and skipped.

    Args:
        result: Makes a result of an item. It may raise anything if the item isn't one.
    """

    def __init__(self, result: Callable[[Item], Result]) -> None:
        self.newest = 0  # received_at of the newest item, epoch ms
        self.unreadable: dict[str, str] = {}  # event id -> why its item is no result
        self._result = result
        self._lock = threading.Lock()
        # event id -> its newest delivery (received_at and count, as stored) and result
        self._by_event: dict[str, tuple[tuple[object, object], Result]] = {}
        self._by_correlation: dict[str, dict[str, Result]] = defaultdict(dict)
        self._ignored: set[str | None] = set()

    def merge(self, items: Iterable[Item]) -> list[Result]:
        """Take over new results and redeliveries; return the new results."""
        with self._lock:
            return [result for item in items if (result := self._merged(item))]

    def ignore(self, correlation_id: str) -> None:
        """Leave the results of this id out of `all`."""
        self._ignored.add(correlation_id)

    def after_fork(self) -> None:
        """Forget a thread of the parent that was merging."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """The number of all results."""
        ignored = sum(len(self._by_correlation.get(one or "", ())) for one in list(self._ignored))
        return len(self._by_event) - ignored

    def has(self, correlation_id: str) -> bool:
        """Whether there is a result of this correlation id."""
        return correlation_id in self._by_correlation

    def of(self, correlation_id: str) -> list[Result]:
        """The results of this correlation id, sorted by `in_order`."""
        return in_order(list(self._by_correlation.get(correlation_id, {}).values()))

    def all(self) -> list[Result]:
        """All results, sorted by `in_order`."""
        results = [result for _, result in list(self._by_event.values())]
        return in_order(result for result in results if result.correlation_id not in self._ignored)

    def _merged(self, item: Item) -> Result | None:
        event_id = str(item.get("event_id", {}).get("S"))
        delivery = (item.get("received_at"), item.get("deliveries"))
        known = self._by_event.get(event_id)
        if event_id in self.unreadable or (known and known[0] == delivery):
            return None
        try:
            result = self._result(item)
        except Exception as error:  # an item may hold anything, and fail in any way
            self.unreadable[event_id] = printable(f"{type(error).__name__}: {error}")[:200]
            _log.warning("skipped an item of the results table: %s", self.named(event_id))
            return None
        self.newest = max(self.newest, int(result.received_at.timestamp() * 1000))
        self._by_event[event_id] = (delivery, result)
        self._by_correlation[result.correlation_id or ""][event_id] = result
        return None if known else result

    def named(self, event_id: str) -> str:
        """Say which item is no result, and why."""
        return f"{printable(event_id)[:100]!r} isn't a result ({self.unreadable[event_id]})"
