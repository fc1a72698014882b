"""Builds the graph of a system from Terraform's state."""

from collections.abc import Mapping
from dataclasses import replace

from event_harness.system.graph import (
    apis,
    callers,
    functions,
    messaging,
    permissions,
    pipelines,
    rules,
    writes,
)
from event_harness.system.graph.building import Building, Reader
from event_harness.system.graph.listener import find
from event_harness.system.graph.model import LISTENER, Edge, Graph, Node
from event_harness.system.graph.names import names
from event_harness.system.graph.state import State
from event_harness.system.graph.walks import failure_queues

# In this order: of a function's two places for failures, the destination counts before the dead-letter queue.
READERS: Mapping[str, Reader] = {
    **functions.READERS,
    **messaging.READERS,
    **pipelines.READERS,
    **apis.READERS,
    **callers.READERS,
}
_BROKEN = (AttributeError, IndexError, KeyError, TypeError, ValueError, StopIteration)


def build(state: State) -> Graph:
    """The graph of a system.

    It has every resource that takes part, also of types that the harness doesn't know, and what lies outside
    of the state if something leads there. Of the event listener it has the function only.
    """
    listener = find(state)
    building = Building(state, listener)
    unread: list[str] = []
    for type_, reader in READERS.items():
        for resource in [one for one in state.resources if one.type == type_ and one.managed]:
            try:
                reader(resource, building)
            except _BROKEN as error:
                unread.append(f"{resource.address}: {type(error).__name__}: {error}")
    for step in (writes.read, permissions.read, rules.limit):
        try:
            step(building)
        except _BROKEN as error:
            unread.append(f"policies: {type(error).__name__}: {error}")
    return _finished(building, unread)


def _finished(building: Building, unread: list[str]) -> Graph:
    nodes = dict(building.nodes)
    if building.listener.function:
        function = building.listener.function
        name = function.rpartition(":")[2]
        nodes[LISTENER] = Node(
            LISTENER, LISTENER, "aws_lambda_function", "lambda", name, function, f"/aws/lambda/{name}"
        )
    edges = [edge for edge in building.edges if edge.source in nodes and edge.target in nodes]
    edges = [_with_source(edge, building) for edge in edges if edge.source != LISTENER]
    used = {end for edge in edges for end in (edge.source, edge.target)}
    # What nothing leads to or from takes no part, unless it is a component that could.
    nodes = {
        a: n for a, n in nodes.items() if a in used or (n.type != "other" and not n.outside) or a == LISTENER
    }
    given = names(node for node in nodes.values() if node.address != LISTENER)
    named = {a: replace(n, name=given.get(a, n.name)) for a, n in sorted(nodes.items())}
    graph = Graph(named, tuple(sorted(edges, key=_order)), tuple(unread))
    keeping = failure_queues(graph)
    own = {
        a: n if n.failure_queue_url in keeping else replace(n, failure_queue_url=None)
        for a, n in named.items()
    }
    return replace(graph, nodes=own)


def _with_source(edge: Edge, building: Building) -> Edge:
    """An edge to the listener with the name of the source that it is."""
    if edge.target != LISTENER:
        return edge
    by = next((one for one in building.resources if one.address == edge.by), None)
    name = building.listener.source(by, building.nodes[edge.source])
    return replace(edge, notes=(*edge.notes, f"source {name}")) if name else edge


def _order(edge: Edge) -> tuple[str, str, str, str]:
    return edge.source, edge.target, edge.kind, edge.by
