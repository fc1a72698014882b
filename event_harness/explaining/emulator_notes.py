"""Tells what the local AWS emulator has to do with a missing result: its warnings, and what it doesn't do."""

import re
from collections.abc import Iterable
from datetime import datetime

from event_harness.explaining.report import Finding
from event_harness.system.graph.emulated import not_carried_out, told
from event_harness.system.graph.model import LISTENER, Graph
from event_harness.system.graph.walks import reachable, way
from event_harness.system.resources import ResourceMap

NAME = "emulator"
_MOST = 10  # different lines
_LINE = re.compile(
    r"^(?P<at>\d{4}-\d\d-\d\d [\d:]{8}) (?:WARNING|ERROR|CRITICAL) \[(?P<module>[\w.]+)\] (?P<text>.*)$",
    re.MULTILINE,
)
# Of functions the probes of functions tell more, from the same log and from the functions' own.
# What a test has injected is told by itself.
_NOISE = re.compile(
    r"Warm worker execution error|hypercorn|asyncio|TracingConfig|docker|\binjected: ", re.IGNORECASE
)
_DENIED = "permission denied: "
_SERVICE_DENIED = re.compile(rf"^{_DENIED}(?P<what>\S+\.amazonaws\.com may not \S+ on \S+)")
_SHORTEST = 4  # characters of a name that is no accident


def emulator_notes(resources: ResourceMap, log: str, since: float, entry: str, *, resulted: bool) -> Finding:
    """A remark with the emulator's warnings since the send, and with what it doesn't carry out on the way.

    Args:
        resources: The deployed system.
        log: The emulator's own log.
        since: The moment of the send, epoch seconds.
        entry: Name of the component that the input was sent to.
        resulted: Every source has a result of the input.
    """
    warned = warnings(log, since, names_of(resources))
    gaps, cause = _gaps(resources.graph, entry)
    # A service that may not deliver tells of no input: it may deliver none.
    refused = [found["what"] for one in warned if (found := _SERVICE_DENIED.match(one))]
    cause = cause or (f"{refused[-1]} (access denied)" if refused else None)
    parts = [f"{len(gaps)} connection{'s' * (len(gaps) != 1)} not carried out"] if gaps else []
    if warned:
        parts.append(f"{len(warned)} warning{'s' * (len(warned) != 1)} since the send")
    text = ", ".join(parts) or "no warning about this system since the send"
    return Finding(NAME, "", text, (*gaps, *warned), cause=None if resulted else cause)


def warnings(log: str, since: float, names: Iterable[str]) -> list[str]:
    """The lines at warning and above since a moment that name a resource of the system, each once.

    Those of denied calls come last: a report that is cut keeps its last lines.

    Args:
        log: The emulator's own log.
        since: Epoch seconds. The log has whole seconds.
        names: The names of the system's resources.
    """
    known = [name for name in names if len(name) >= _SHORTEST]
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, known))})(?![\w-])") if known else None
    counted: dict[str, tuple[str, int]] = {}
    for match in _LINE.finditer(log):
        text = match["text"].strip()
        if _at(match["at"]) + 1 < since or _NOISE.search(match[0]):
            continue
        if pattern and pattern.search(text):
            alike = re.sub(r"\d+", "0", text)
            counted[alike] = (text, counted.get(alike, ("", 0))[1] + 1)
    ordered = sorted(counted.values(), key=lambda one: one[0].startswith(_DENIED))
    lines = [f"{text} ({times} times)" if times > 1 else text for text, times in ordered]
    return lines[-_MOST:]


def names_of(resources: ResourceMap) -> set[str]:
    """The names of all resources of a system, as the emulator's log has them."""
    identifiers = [component.identifier for component in resources.components]
    identifiers += [resources.listener.function]
    if resources.graph is not None:
        identifiers += [node.identifier for node in resources.graph.nodes.values()]
    return {re.split(r"[:/]", one.rstrip("/"))[-1] for one in identifiers}


def _gaps(graph: Graph | None, entry: str) -> tuple[list[str], str | None]:
    """What isn't carried out on the ways of an input; the cause, if nothing can come through without it."""
    start = graph and next((node.address for node in graph.nodes.values() if node.name == entry), None)
    if graph is None or not isinstance(start, str) or LISTENER not in graph.nodes:
        return [], None
    inside, through = way(graph, start)
    found = [
        (edge, gap)
        for edge, gap in not_carried_out(graph)
        if edge.source in inside and edge.target in inside and not edge.failure
    ]
    lines = [told(graph, edge, gap) for edge, gap in found]
    closed = {edge for edge, gap in found if gap.stops}
    rest = Graph(graph.nodes, tuple(edge for edge in graph.edges if edge not in closed))
    if through:
        cut = not way(rest, start)[1]
    else:  # no way to the listener is known: the input comes to none of the ends that it could reach
        near = reachable(graph, start)
        ends = {one for one in near if not any(edge.carries for edge in graph.out(one))}
        cut = bool(ends) and ends.isdisjoint(reachable(rest, start))
    if closed and cut:
        return lines, next(told(graph, edge, gap) for edge, gap in found if gap.stops)
    return lines, None


def _at(text: str) -> float:
    """Epoch seconds. The emulator writes local time."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").timestamp()
