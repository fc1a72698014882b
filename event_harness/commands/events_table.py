"""Events as a table, and as lines."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from event_harness.errors import printable
from event_harness.machine.spans import span
from event_harness.system.resources import ResourceMap
from event_harness.tracing.timeline import Attempt, State, Timeline, Visit

if TYPE_CHECKING:
    from rich.table import Table

_STYLES: dict[State, str] = {
    "arrived": "green",
    "failed": "bold red",
    "missing": "red",
    "in flight": "yellow",
    "none came": "",
}
_UNKNOWN = "–"
_PADDING = "  "
_STATE = max(map(len, _STYLES))


def table(events: Sequence[Timeline], resources: ResourceMap, width: int) -> "Table":
    """The events, one a row: id, component after component, result, state.

    Each time is counted from the send: `+31 ms, 45 ms` began 31 ms after it and took 45 ms. Where the width
    is too small for one column per component, their cells stand in one.
    """
    from rich.table import Table
    from rich.text import Text

    ids = shortened(events)
    names = [component.name for component in resources.components]
    head = ["event", "sent", *names, "result", "state"]
    rows = [
        [ids[n], _clock(event.sent_at), *(cell(v, event.sent_at) for v in event.visits), result(event)]
        for n, event in enumerate(events)
    ]
    widest = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head) - 1)]
    if sum(widest) + len(_PADDING) * len(widest) + _STATE > width:
        head = ["event", "sent", "way", "state"]
        rows = [[*row[:2], _way(event)] for row, event in zip(rows, events, strict=True)]
    made = Table(box=None, pad_edge=False, padding=(0, len(_PADDING), 0, 0))
    for name in head:
        made.add_column(Text(printable(name)), no_wrap=name in ("event", "sent", "state"))
    for row, event in zip(rows, events, strict=True):
        made.add_row(*(Text(printable(text)) for text in row), Text(event.state, _STYLES[event.state]))
    return made


def _way(event: Timeline) -> str:
    """What is known of an event's way, in one cell."""
    told = ((visit.component, cell(visit, event.sent_at)) for visit in event.visits)
    way = [f"{name} {cell}" for name, cell in told if cell != _UNKNOWN]
    return "; ".join([*way, *([f"result {result(event)}"] if event.arrivals else [])]) or _UNKNOWN


def counted(events: Sequence[Timeline], problem: str | None = None) -> str:
    """How many events there are of each state."""
    states = Counter(event.state for event in events)
    told = [f"{len(events):,} event{'s' * (len(events) != 1)}"]
    told += [f"{states[state]:,} {state}" for state in _STYLES if states[state]]
    duplicates = sum(event.duplicates for event in events)
    told += [f"{duplicates} duplicate{'s' * (duplicates != 1)}"] if duplicates else []
    return ", ".join(told) + (f"; the results can't be read: {problem}" if problem else "")


def line_of(event: Timeline) -> str:
    """An event as one line."""
    return printable(
        f"{_clock(event.sent_at)} {event.correlation_id}  {event.state:<{_STATE}}  {_way(event)}"
    )


def shortened(events: Sequence[Timeline]) -> list[str]:
    """The ids of events as `logs --id` finds them: without session and name, where they stay unique."""
    whole = [event.correlation_id.partition("/")[2] or event.correlation_id for event in events]
    parts = [one.partition("/")[0] for one in whole]
    return parts if len(set(parts)) == len(parts) else whole


def cell(visit: Visit, sent_at: float | None) -> str:
    """What is known of an event at a component."""
    if visit.attempts:
        last = visit.attempts[-1]
        tries = f" ({len(visit.attempts)} attempts)" if len(visit.attempts) > 1 else ""
        return f"{attempt(last, sent_at)}{tries}"
    if visit.at is None:
        return _UNKNOWN
    return _after(visit.at, sent_at)


def attempt(one: Attempt, sent_at: float | None) -> str:
    """When an invocation began and how long it took; `error` if its log tells of one."""
    if one.start is None:
        told = f"ended {_after(one.end, sent_at)}" if one.end is not None else _UNKNOWN
    else:
        took = "running" if one.end is None else span(max(0.0, one.end - one.start))
        told = f"{_after(one.start, sent_at)}, {took}"
    return f"{told}, error" if one.error else told


def result(event: Timeline) -> str:
    """When the first result came, and how many there are if more than one."""
    if not event.arrivals:
        return _UNKNOWN
    more = f" ({len(event.arrivals)})" if len(event.arrivals) > 1 else ""
    return f"{_after(event.arrivals[0].received, event.sent_at)}{more}"


def _after(at: float | None, sent_at: float | None) -> str:
    if at is None:
        return _UNKNOWN
    return _clock(at) if sent_at is None else f"+{span(max(0.0, at - sent_at))}"


def _clock(at: float | None) -> str:
    if at is None:
        return _UNKNOWN
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f}"[:-3]
