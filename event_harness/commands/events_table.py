"""Events as a table, and as lines."""

import re
import textwrap
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
_SHORT = 13  # columns of an id where there is little room; its end is what differs
_LEAST = 20  # columns of a way
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=ms\b|s\b|min\b|attempts\b)|(?<=min) (?=\d)")


def table(
    events: Sequence[Timeline], resources: ResourceMap, width: int, height: int | None = None
) -> "Table":
    """The events, one a row: id, component after component, result, state.

    Each time is counted from the send: `+31 ms, 45 ms` began 31 ms after it and took 45 ms. A component of
    which nothing is known has no column. Where the width is too small for one column per component, their
    cells stand in one.

    Args:
        events: In the order of the sends.
        resources: The system.
        width: Columns of the terminal.
        height: Lines that the table may take: the newest events that fit are shown. None for all.
    """
    from rich.table import Table
    from rich.text import Text

    head, rows = _wide(events, resources)
    widest = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    if sum(widest) + len(_PADDING) * len(widest) + _STATE > width:
        head, rows = _narrow(events, width)
    shown = _fitting([1 + max(cell.count("\n") for cell in row) for row in rows], height)
    made = Table(box=None, pad_edge=False, padding=(0, len(_PADDING), 0, 0))
    for name in [*head, "state"]:
        made.add_column(Text(printable(name)), no_wrap=True)
    for row, event in list(zip(rows, events, strict=True))[len(rows) - shown :]:
        made.add_row(*(Text(printable(text)) for text in row), Text(event.state, _STYLES[event.state]))
    return made


def _wide(events: Sequence[Timeline], resources: ResourceMap) -> tuple[list[str], list[list[str]]]:
    """The head and the rows with a column per component, without the state."""
    ids = shortened(events)
    cells = [[cell(visit, event.sent_at) for visit in event.visits] for event in events]
    known = [n for n in range(len(resources.components)) if any(row[n] != _UNKNOWN for row in cells)]
    head = ["event", "sent", *(resources.components[n].name for n in known), "result"]
    rows = [
        [ids[n], _clock(event.sent_at), *(cells[n][column] for column in known), result(event)]
        for n, event in enumerate(events)
    ]
    return head, rows


def _narrow(events: Sequence[Timeline], width: int) -> tuple[list[str], list[list[str]]]:
    """The same with the whole way in one column, which breaks between values only."""
    ids = [name if len(name) <= _SHORT else f"…{name[1 - _SHORT :]}" for name in shortened(events)]
    sent = [_clock(event.sent_at) for event in events]
    taken = sum(max(map(len, column), default=0) for column in (["event", *ids], ["sent", *sent])) + _STATE
    room = max(_LEAST, width - taken - 3 * len(_PADDING))
    rows = [[ids[n], sent[n], _folded(_way(event), room)] for n, event in enumerate(events)]
    return ["event", "sent", "way"], rows


def _fitting(heights: Sequence[int], height: int | None) -> int:
    """How many of the last rows fit below the head; one at least."""
    if height is None:
        return len(heights)
    left, count = height - 1, 0
    while count < len(heights) and (heights[-1 - count] <= left or count == 0):
        left -= heights[-1 - count]
        count += 1
    return count


def _way(event: Timeline) -> list[str]:
    """What is known of an event's way: a text for each component, and for the result."""
    told = ((visit.component, cell(visit, event.sent_at)) for visit in event.visits)
    way = [f"{name} {cell}" for name, cell in told if cell != _UNKNOWN]
    return [*way, *([f"result {result(event)}"] if event.arrivals else [])] or [_UNKNOWN]


def _folded(texts: Sequence[str], room: int) -> str:
    """Texts in lines of that width. A text is broken only if it is longer than a line, and no number is."""
    lines: list[str] = []
    for number, text in enumerate(texts):
        whole = text + ("; " if number < len(texts) - 1 else "")
        if lines and len(lines[-1]) + len(whole.rstrip()) <= room:
            lines[-1] += whole
            continue
        unbroken = _BEFORE_UNIT.sub("\xa0", whole.rstrip())  # textwrap breaks at other spaces only
        parts = textwrap.wrap(unbroken, room, subsequent_indent="  ", break_on_hyphens=False)
        lines += [part.replace("\xa0", " ") for part in parts]
        lines[-1] += " "
    return "\n".join(line.rstrip() for line in lines)


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
        f"{_clock(event.sent_at)} {event.correlation_id}  {event.state:<{_STATE}}  {'; '.join(_way(event))}"
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
