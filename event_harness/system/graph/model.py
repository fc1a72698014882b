"""The graph: nodes, and the edges along which events pass."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

Known = Literal["declared", "allowed", "named", "listed"]
"""How an edge is known.

`declared`: a resource exists to make this connection. `allowed`: a policy lets the source write there.
`named`: only the source's environment names it. `listed`: the user's list has one after the other.
"""

LISTENER = "event_listener"
"""The address and the name of the event listener, the end of every way."""


@dataclass(frozen=True)
class Node:
    """One resource that events pass.

    Attributes:
        address: Its Terraform address; the ARN or a name of what is not in the state.
        name: A short name, unique in the graph.
        kind: The resource type, such as `aws_sqs_queue`.
        type: The type of its component, see `COMPONENT_FIELDS`; `other` for what the harness can't look into.
        identifier: The required field of its component: a bucket's name, a queue's URL and the like.
        arn: Its ARN, if it is known.
        log_group: Name of its log group, if it has one.
        failure_queue_url: URL of the queue for its failures, or its dead-letter queue.
        outside: It isn't managed by this state.
    """

    address: str
    name: str
    kind: str
    type: str
    identifier: str
    arn: str | None = None
    log_group: str | None = None
    failure_queue_url: str | None = None
    outside: bool = False


@dataclass(frozen=True)
class Edge:
    """A way of events from one node to another.

    Attributes:
        source: Address of the node that it leads out of.
        target: Address of the node that it leads to.
        kind: `event source mapping`, `subscription`, `rule NAME`, `task NAME`, `may write` and so on.
        known: How it is known.
        filter: What it lets pass, in words; empty if it lets everything pass.
        notes: Further facts: the size of its batches, raw delivery and so on.
        failure: Only what failed passes it.
        reads: The source only reads there, so no event passes.
        enabled: It is in force.
        senders: Addresses of the only nodes whose events pass it; None if that isn't limited. An EventBridge
            rule takes only the events of some of those that send to its bus.
        by: Address of the resource that makes it.
    """

    source: str
    target: str
    kind: str
    known: Known = "declared"
    filter: str = ""
    notes: tuple[str, ...] = ()
    failure: bool = False
    reads: bool = False
    enabled: bool = True
    senders: tuple[str, ...] | None = None
    by: str = ""

    @property
    def carries(self) -> bool:
        """Whether events that didn't fail pass it."""
        return not (self.failure or self.reads)


@dataclass(frozen=True)
class Graph:
    """The system: nodes in a stable order, the listener among them if there is one.

    Attributes:
        nodes: Every node, by address.
        edges: Every edge.
        unread: Addresses of resources that could not be understood, each with the reason.
    """

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    unread: tuple[str, ...] = field(default=())

    @cached_property
    def by_source(self) -> Mapping[str, tuple[Edge, ...]]:
        """The edges out of each node."""
        return _grouped((edge.source, edge) for edge in self.edges)

    @cached_property
    def by_target(self) -> Mapping[str, tuple[Edge, ...]]:
        """The edges into each node."""
        return _grouped((edge.target, edge) for edge in self.edges)

    def out(self, address: str) -> tuple[Edge, ...]:
        """The edges out of a node."""
        return self.by_source.get(address, ())

    def into(self, address: str) -> tuple[Edge, ...]:
        """The edges into a node."""
        return self.by_target.get(address, ())

    def to_json(self) -> dict[str, Any]:
        """The graph as a value that JSON can represent. It holds no value of an environment."""
        return {
            "nodes": [asdict(node) for node in self.nodes.values()],
            "edges": [asdict(edge) for edge in self.edges],
            "unread": list(self.unread),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Graph":
        """The graph that `to_json` described."""
        nodes = [Node(**node) for node in value["nodes"]]
        edges = []
        for raw in value["edges"]:
            senders = raw["senders"]
            edge = Edge(**(raw | {"notes": tuple(raw["notes"])}))
            edges.append(replace(edge, senders=None if senders is None else tuple(senders)))
        return cls({node.address: node for node in nodes}, tuple(edges), tuple(value["unread"]))


def _grouped(pairs: Iterable[tuple[str, Edge]]) -> dict[str, tuple[Edge, ...]]:
    groups: dict[str, list[Edge]] = {}
    for address, edge in pairs:
        groups.setdefault(address, []).append(edge)
    return {address: tuple(edges) for address, edges in groups.items()}
