"""Makes the components of a system from its graph, and from those that the user lists by hand."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from event_harness.errors import StateError
from event_harness.system.graph import state
from event_harness.system.graph.build import build
from event_harness.system.graph.listener import OUTPUT
from event_harness.system.graph.model import LISTENER, Edge, Graph, Node
from event_harness.system.graph.names import names
from event_harness.system.graph.references import canonical
from event_harness.system.graph.walks import ordered
from event_harness.system.resources import COMPONENT_FIELDS, Component, ResourceMap


def of_file(path: Path) -> ResourceMap:
    """The resource map of a system that is described in a file.

    Args:
        path: Terraform's state, or what `terraform show -json` writes, or the output `event_harness` alone.

    Raises:
        NoTestResourcesError: The system is deployed without its test resources.
        ResourceMapError: The file can't be read, or is none of these.
    """
    try:
        found = state.read(path)
    except StateError:
        return ResourceMap.from_file(path)
    listed = ResourceMap.from_mapping(found.outputs.get(OUTPUT), f"output {OUTPUT!r} in {path}")
    return with_graph(listed, build(found))


def with_graph(resources: ResourceMap, graph: Graph) -> ResourceMap:
    """A resource map with all components of the system's graph; those that it lists by hand win."""
    merged = with_listed(graph, resources.components)
    found = components(merged, resources.components)
    return replace(resources, components=found, graph=merged, by_hand=bool(resources.components))


def with_listed(graph: Graph, listed: Sequence[Component]) -> Graph:
    """The graph with the names and the fields of listed components.

    What a user has listed wins over what was found of the same resource. What wasn't found is added. A name
    that a listed component has is taken: what was found under it gets a longer one.
    """
    nodes = dict(graph.nodes)
    own: dict[str, str] = {}
    for component in listed:
        address = next((a for a, node in nodes.items() if is_same(node, component)), None)
        if address is None:
            address = f"components.{component.name}"
            nodes[address] = Node(
                address, component.name, "listed", component.type, component.identifier, outside=True
            )
        own[address] = component.name
        nodes[address] = replace(
            nodes[address],
            name=component.name,
            type=component.type,
            identifier=component.identifier,
            log_group=component.log_group or nodes[address].log_group,
            failure_queue_url=component.failure_queue_url or nodes[address].failure_queue_url,
        )
    if not own:
        return graph
    rest = [node for address, node in nodes.items() if address not in own and address != LISTENER]
    given = names(rest, taken=own.values())
    named = {
        address: replace(node, name=own.get(address) or given.get(address, node.name))
        for address, node in nodes.items()
    }
    return Graph(named, graph.edges, graph.unread)


def of_list(listed: Sequence[Component]) -> Graph:
    """The graph of a system of which only a list is known: each component leads to the next one."""
    nodes = {
        f"components.{one.name}": Node(
            f"components.{one.name}",
            one.name,
            "listed",
            one.type,
            one.identifier,
            log_group=one.log_group,
            failure_queue_url=one.failure_queue_url,
            outside=True,
        )
        for one in listed
    }
    order = [*nodes, LISTENER]
    nodes[LISTENER] = Node(LISTENER, LISTENER, "aws_lambda_function", "lambda", LISTENER)
    edges = (Edge(source, target, "next in the list", "listed") for source, target in pairwise(order))
    return Graph(nodes, tuple(edges))


def components(graph: Graph, listed: Sequence[Component] = ()) -> tuple[Component, ...]:
    """The components of a system: the listed ones first, in their order, then those that were found.

    Left out is the listener, and what only takes failures: a queue for failures belongs to its component.

    Args:
        graph: The graph with the listed components, see `with_listed`.
        listed: The listed components.
    """
    found = [
        component_of(graph.nodes[address])
        for address in ordered(graph)
        if address in graph.nodes and address != LISTENER and not _only_failures(graph, address)
    ]
    by_name = {component.name: component for component in found}
    by_hand = [
        replace(
            one,
            log_group=by_name.get(one.name, one).log_group,
            failure_queue_url=by_name.get(one.name, one).failure_queue_url,
        )
        for one in listed
    ]
    names_by_hand = {one.name for one in listed}
    return (*by_hand, *(one for one in found if one.name not in names_by_hand))


def component_of(node: Node) -> Component:
    """The component of a node, with the fields that its type may have."""
    needed, *others = COMPONENT_FIELDS[node.type]
    fields = {needed: node.identifier}
    fields |= {name: value for name in others if (value := getattr(node, name, None))}
    return Component(node.name, node.type, **fields)


def is_same(node: Node, component: Component) -> bool:
    """Whether a component that a user has listed is the resource of a node."""
    if component.type == "other" or node.type == "other":
        return component.identifier in (node.address, node.arn, node.identifier)
    return node.type == component.type and _key(node.identifier) == _key(component.identifier)


def _key(identifier: str) -> str:
    """What all ways to name a resource have in common: ARN or name, any host of a queue's URL."""
    text = canonical(identifier)
    if text.startswith("queue:"):
        return text
    if text.startswith("arn:") and ":sns:" not in text and ":states:" not in text:
        return text.rpartition(":")[2].rpartition("/")[2]
    return text.rstrip("/")


def _only_failures(graph: Graph, address: str) -> bool:
    into = [edge for edge in graph.into(address) if not edge.reads]
    return bool(into) and all(edge.failure for edge in into) and not graph.out(address)
