"""Finds the ways of an input to the listener: by the system's graph, else by the list of its components."""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from event_harness.explaining.probes.asking import Seen
from event_harness.explaining.wiring import Link
from event_harness.system.graph.model import LISTENER, Graph
from event_harness.system.graph.walks import ordered, reachable, way
from event_harness.system.resources import Component, ResourceMap

Edge = tuple[int, int]


@dataclass(frozen=True)
class Ways:
    """Which components of a path an input passes one after the other.

    Attributes:
        path: The components from where the input was sent to, and the listener, each after those before it.
        sure: Pairs of numbers of components that are connected, or that a policy or an environment connects.
        guessed: Pairs of which nothing tells that they are connected.
        by_graph: The system's graph is known.
        called: A function that only a state machine calls, as one of its tasks, and that leads no further
            -> the state machine. It isn't on the way, and it may be the one that fails.
    """

    path: tuple[Component, ...]
    sure: frozenset[Edge] = frozenset()
    guessed: frozenset[Edge] = frozenset()
    by_graph: bool = False
    called: Mapping[int, int] = field(default_factory=dict)

    def reached(self, without: Collection[int] = ()) -> set[int]:
        """The numbers that can be reached from the first one, if some components let nothing pass."""
        found: set[int] = set()
        left = deque([0])
        while left:
            at = left.popleft()
            if at in found:
                continue
            found.add(at)
            if at not in without:
                left += [after for before, after in self.sure | self.guessed if before == at]
        return found

    def before(self, number: int) -> list[int]:
        """The components that lead to this one; guesses count only if nothing is known."""
        sure = sorted(one for one, after in self.sure if after == number)
        return sure or sorted(one for one, after in self.guessed if after == number)

    @property
    def branched(self) -> bool:
        """Whether some component leads to several others."""
        leads = [one for one, after in self.sure if after not in self.called]
        return len(leads) > len(set(leads))


def ways_from(resources: ResourceMap, entry: str, listener: Component) -> Ways:
    """The path of an input and, if the graph is known, its ways.

    Args:
        resources: The deployed system.
        entry: Name of the component that the input was sent to; it has never been at those before it.
        listener: The listener, the end of every way.
    """
    graph = resources.graph
    if graph is not None:
        start = next((node.address for node in graph.nodes.values() if node.name == entry), None)
        if start is not None and LISTENER in graph.nodes:
            return _in_graph(graph, start, resources, listener)
    names = [component.name for component in resources.components]
    components = resources.components[names.index(entry) :] if entry in names else resources.components
    return Ways((*components, listener))


def _in_graph(graph: Graph, start: str, resources: ResourceMap, listener: Component) -> Ways:
    by_name = {component.name: component for component in resources.components}
    inside, through = way(graph, start)
    tasks = _tasks(graph, inside)
    inside = inside | tasks.keys()
    places = [graph.nodes[one].name for one in ordered(graph)]
    listed = {name: at for at, name in enumerate([*by_name, *places])}  # the user's own order counts first
    known = [one for one in inside if graph.nodes[one].name in by_name and one != start]
    order = [start, *_in_order(graph, known, lambda one: listed[graph.nodes[one].name]), LISTENER]
    number = {address: at for at, address in enumerate(order)}
    pairs = {
        (number[edge.source], number[edge.target])
        for edge in graph.edges
        if not edge.reads and edge.source in number and edge.target in number
    }
    sure = frozenset(pair for pair in pairs if pair[0] != pair[1])
    guessed: set[Edge] = set()
    if not through:  # whatever the input can reach may lead to whatever leads to the listener
        near = {number[one] for one in reachable(graph, start) if one in number}
        far = set(number.values()) - near
        ends = {one for one in near if not any(before == one for before, _ in sure)} or near
        begins = {one for one in far if not any(after == one for _, after in sure)} or far
        guessed = {(end, begin) for end in ends for begin in begins}
    path = tuple(by_name[graph.nodes[one].name] for one in order[:-1])
    called = {number[task]: number[machine] for task, machine in tasks.items() if task in number}
    return Ways((*path, listener), sure, frozenset(guessed), by_graph=True, called=called)


def _tasks(graph: Graph, inside: Collection[str]) -> dict[str, str]:
    """The functions that state machines of a way call, and that aren't on it, each with its machine."""
    return {
        edge.target: machine
        for machine in inside
        if graph.nodes[machine].type == "stepfunctions"
        for edge in graph.out(machine)
        if edge.carries and edge.target not in inside and graph.nodes[edge.target].type == "lambda"
    }


def _in_order(graph: Graph, addresses: Collection[str], rank: Callable[[str], int]) -> list[str]:
    """Addresses, each after those that lead to it; of several, the one of the lowest rank comes first."""
    left, order = set(addresses), []
    while left:
        fed = {edge.target for edge in graph.edges if edge.source in left and edge.source != edge.target}
        order.append(min(left - fed or left, key=rank))
        left.remove(order[-1])
    return order


def with_links(ways: Ways, seen: Sequence[Seen], *, forked: bool) -> Ways:
    """The ways with the connections that the probes have read.

    Args:
        ways: The path.
        seen: The answer of each of its components.
        forked: The results come from several places, so a list isn't one chain.
    """
    path = ways.path
    live = {
        (before, after)
        for before, answer in enumerate(seen)
        for after, component in enumerate(path)
        if before != after and any(link.leads_to(component) for link in links_of(answer))
    }
    if ways.by_graph:
        return replace(ways, sure=ways.sure | live)
    forked = forked or len(live) > len({before for before, _ in live})
    guessed: set[Edge] = set()
    for number in range(len(path) - 1):
        leads = any(before == number for before, _ in live)
        if not forked:
            guessed.add((number, number + 1))
        elif not leads and seen[number].links is None:
            guessed |= {(number, after) for after in range(number + 1, len(path))}
        elif not leads:
            guessed.add((number, number + 1))
    return replace(ways, sure=frozenset(live), guessed=frozenset(guessed))


def of_later_passes(ways: Ways, seen: Sequence[Seen]) -> list[Seen]:
    """The answers of the probes, without filters that the input needn't match.

    An input may come to a bus, a topic or a bucket a second time: a function behind it has put its own event
    there. A filter that the input itself doesn't match is meant for that event.
    """
    answers = list(seen)
    for number, answer in enumerate(seen):
        links = links_of(answer)
        matched = {
            after
            for after, component in enumerate(ways.path[:-1])
            if any(link.leads_to(component) for link in links if link.enabled and not link.unmatched)
        }
        if any(number in _behind(ways, after) for after in matched):
            answers[number] = replace(answer, links=tuple(replace(link, unmatched=None) for link in links))
    return answers


def _behind(ways: Ways, start: int) -> set[int]:
    found: set[int] = set()
    left = deque([start])
    while left:
        at = left.popleft()
        new = {after for before, after in ways.sure if before == at} - found
        found |= new
        left += new
    return found


def links_of(answer: Seen) -> list[Link]:
    """The connections out of a component, as its probe has read them."""
    return list(answer.links or ())


def sources_reached(resources: ResourceMap, entry: str) -> set[str]:
    """The sources of the listener that an input sent to a component can come to; all if that isn't known."""
    graph = resources.graph
    everything = set(resources.sources)
    nodes = graph.nodes.values() if graph else ()
    start = next((node.address for node in nodes if node.name == entry), None)
    if graph is None or start is None:
        return everything
    near = reachable(graph, start)
    named = {
        note.removeprefix("source ")
        for edge in graph.into(LISTENER)
        if edge.source in near
        for note in edge.notes
        if note.startswith("source ")
    }
    return (named & everything) or everything
