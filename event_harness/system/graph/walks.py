"""Ways through a graph: what an event can reach, what leads to a place, where events enter."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from event_harness.system.graph.model import LISTENER, Edge, Graph, Node


def reachable(graph: Graph, start: str, *, failures: bool = False) -> set[str]:
    """The addresses that an event can come to from a node, the node itself among them.

    A bus passes an event on by rules that look at its sender, so the way by which an event came counts.

    Args:
        graph: The system.
        start: Address of a node.
        failures: Also the ways of what failed.
    """
    seen: set[tuple[str, str | None]] = set()
    left: list[tuple[str, str | None]] = [(start, None)]
    while left:
        at, before = left.pop()
        if (at, before) in seen:
            continue
        seen.add((at, before))
        left += [(edge.target, at) for edge in _open(graph.out(at), before, failures=failures)]
    return {address for address, _ in seen}


def _open(edges: Iterable[Edge], before: str | None, *, failures: bool) -> list[Edge]:
    """The edges that an event may pass that came from a node; one that a test sent came from none."""
    return [
        edge
        for edge in edges
        if (edge.carries or (failures and edge.failure))
        and (edge.senders is None or (before is not None and before in edge.senders))
    ]


def leading_to(graph: Graph, end: str, *, failures: bool = False) -> set[str]:
    """The addresses from which an event can come to a node, the node itself among them."""
    found: set[str] = set()
    left = [end]
    while left:
        at = left.pop()
        if at in found:
            continue
        found.add(at)
        left += [edge.source for edge in graph.into(at) if edge.carries or (failures and edge.failure)]
    return found


def failure_queues(graph: Graph) -> dict[str, list[Node]]:
    """URL of each queue that only keeps what failed -> the nodes that fail into it.

    A queue that something reads isn't among them: it is part of the way, and a look into it would take
    messages from its reader for a moment.
    """
    found: dict[str, list[Node]] = {}
    for edge in graph.edges:
        queue, owner = graph.nodes[edge.target], graph.nodes[edge.source]
        read = any(one.carries for one in graph.out(edge.target))
        if edge.failure and queue.type == "sqs" and not read:
            owners = found.setdefault(queue.identifier, [])
            owners += [] if owner in owners else [owner]
    return found


def way(graph: Graph, start: str, end: str = LISTENER) -> tuple[set[str], bool]:
    """The part of a graph that an event passes on its way.

    Args:
        graph: The system.
        start: Address of the node that it was sent to.
        end: Address of the end.

    Returns:
        Addresses, and whether a way leads through. If none does, they are all that the event can reach, and
        all that leads to the end: the gap lies between.
    """
    for failures in (False, True):
        from_here = reachable(graph, start, failures=failures)
        if end in from_here:
            inside = from_here & leading_to(graph, end, failures=failures)
            return inside | (_failing(graph, inside) if failures else set()), True
    return reachable(graph, start) | leading_to(graph, end), False


def _failing(graph: Graph, inside: Collection[str]) -> set[str]:
    """What reads the queues of a way from which only failed events go on: it decides what fails."""
    return {
        edge.target
        for address in inside
        if any(edge.failure and edge.target in inside for edge in graph.out(address))
        for edge in graph.out(address)
        if edge.carries and edge.target != LISTENER
    }


def ordered(graph: Graph) -> list[str]:
    """All addresses, each after those that lead to it, the listener last. A circle stays together."""
    edges = {
        address: sorted(
            {edge.target for edge in graph.out(address) if not edge.reads} & set(graph.nodes), reverse=True
        )
        for address in graph.nodes
    }
    groups = circles(sorted(graph.nodes, reverse=True), edges.__getitem__)
    order = [address for group in reversed(groups) for address in _circle(graph, group)]
    return sorted(order, key=lambda address: address == LISTENER)


def _circle(graph: Graph, group: Sequence[str]) -> list[str]:
    """The members of a circle: first those that nothing in it is declared to feed."""
    members = set(group)

    def fed(address: str) -> bool:
        """Whether a member of the group leads there."""
        return any(edge.source in members and edge.known == "declared" for edge in graph.into(address))

    return sorted(group, key=lambda address: (fed(address), address))


def circles(nodes: Iterable[str], after: Callable[[str], Iterable[str]]) -> list[list[str]]:
    """The strongly connected parts of a graph, each after the parts that it leads to (Tarjan).

    Args:
        nodes: Every node.
        after: The nodes that a node leads to.
    """
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    parts: list[list[str]] = []
    for root in nodes:
        if root in number:
            continue
        work = [(root, iter(after(root)))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            for other in following:
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(after(other))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    part: list[str] = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    parts.append(part)
    return parts


def entries(graph: Graph, takes_inputs: Callable[[str], bool]) -> list[str]:
    """Where events enter the system: nodes that take inputs, and that nothing in the system leads to.

    Where events begin at something that takes no input from a test, such as a schedule, those that it leads
    to count in its place. If a listener is there, only entries from which a way leads to it count, if there
    are any; functions and state machines count only if nothing else does.

    Args:
        graph: The system.
        takes_inputs: Tells whether a test can send to the node of an address.

    Returns:
        Addresses, in the order of the graph.
    """
    order = ordered(graph)
    found = _sources(graph, order, takes_inputs)
    candidates = [address for address in order if address in found and _leads_on(graph, address)]
    begin = [address for address in candidates if not _only_ends(graph, address)]
    through = [address for address in begin if LISTENER in reachable(graph, address)]
    chosen = through or begin or candidates
    services = [one for one in chosen if graph.nodes[one].type not in ("lambda", "stepfunctions")]
    return services or chosen


def _leads_on(graph: Graph, address: str) -> bool:
    return any(edge.carries and edge.target != address for edge in graph.out(address))


def _only_ends(graph: Graph, address: str) -> bool:
    """Whether a node leads to the listener only: it is the end of a way whose beginning isn't known."""
    return all(edge.target == LISTENER for edge in graph.out(address) if edge.carries)


def _sources(graph: Graph, order: Sequence[str], takes_inputs: Callable[[str], bool]) -> set[str]:
    carried: Mapping[str, list[str]] = {
        address: [edge.target for edge in graph.out(address) if edge.carries] for address in order
    }
    groups = circles(sorted(order), carried.__getitem__)
    group_of = {address: number for number, group in enumerate(groups) for address in group}
    fed = {
        group_of[target]
        for address, targets in carried.items()
        for target in targets
        if group_of[target] != group_of[address]
    }
    left = []
    for number, group in enumerate(groups):
        if number not in fed:
            members = [one for one in _circle(graph, group) if one != LISTENER]
            # In a circle, the first one is what only a policy or an environment feeds.
            left += [one for one in members if len(group) == 1 or not _declared(graph, one, group)] or members
    found: set[str] = set()
    seen: set[str] = set()
    while left:
        address = left.pop()
        if address in seen or address == LISTENER:
            continue
        seen.add(address)
        if takes_inputs(address):
            found.add(address)
        else:
            left += carried[address]
    return found


def _declared(graph: Graph, address: str, group: Sequence[str]) -> bool:
    return any(edge.source in group and edge.known == "declared" for edge in graph.into(address))
