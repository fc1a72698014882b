"""What the readers of all resource types share: they look nodes up here, and make edges between them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from event_harness.system.graph.listener import Listener
from event_harness.system.graph.model import LISTENER, Edge, Known, Node
from event_harness.system.graph.nodes import KINDS, node_of, outside
from event_harness.system.graph.references import References, arn_parts
from event_harness.system.graph.state import Resource, State

DEFAULT_BUS = "default"


class Building:
    """A graph while it is built.

    Args:
        state: Terraform's state.
        listener: The event listener in it.
    """

    def __init__(self, state: State, listener: Listener) -> None:
        self.listener = listener
        self.resources = state.resources
        self.references = References(state.resources)
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        for resource in self.of_type(*KINDS):
            if resource.managed and not listener.owns(resource):
                self._node(resource)

    def of_type(self, *types: str) -> Iterator[Resource]:
        """All resources of these types, data sources among them."""
        return (one for one in self.resources if one.type in types)

    def related(self, type_: str, attribute: str, to: str, *types: str) -> Iterator[Resource]:
        """The resources of a type whose attribute refers to the node of an address."""
        return (one for one in self.of_type(type_) if self.at(one.values.get(attribute), *types) == to)

    def at(self, reference: object, *types: str) -> str | None:
        """The address of the node that a text refers to; makes the node if it is new.

        Args:
            reference: An ARN, an id, a URL or a name.
            types: The resource types that it may have, if it is a name.

        Returns:
            The address. None for an empty text, and for what belongs to the listener but isn't its function.
        """
        if not isinstance(reference, str) or not reference:
            return None
        resource = self.references.find(reference, *types)
        if resource is not None:
            return self.at_resource(resource)
        if self.listener.is_function(reference):
            return LISTENER
        if "aws_cloudwatch_event_bus" in types or ":event-bus/" in reference:
            return self.bus(reference)
        return self._outside(reference, types)

    def at_resource(self, resource: Resource) -> str | None:
        """The address of the node of a resource; see `at`."""
        if resource.type == "aws_lambda_alias":
            return self.at(resource.values.get("function_name"), "aws_lambda_function")
        if self.listener.is_function(resource.text("arn")):
            return LISTENER
        if self.listener.owns(resource):
            return None
        if resource.address not in self.nodes:
            self._node(resource)
        return resource.address

    def bus(self, name: str) -> str:
        """The address of an event bus. The bus `default` is in no state."""
        found = self.references.find(name, "aws_cloudwatch_event_bus")
        if found is not None:
            return self.at_resource(found) or name
        short = name.rpartition("/")[2] or DEFAULT_BUS
        account = arn_parts(name)["account"]
        own = {arn_parts(node.arn or "")["account"] for node in self.nodes.values()} - {""}
        if not name.startswith("arn:") or short != DEFAULT_BUS or account in own or not own:
            address = f"aws_cloudwatch_event_bus.{short}"
            self.nodes.setdefault(
                address, Node(address, "", "aws_cloudwatch_event_bus", "eventbridge", short, outside=True)
            )
            return address
        return self._outside(name, ())

    def add(self, node: Node) -> str:
        """Add a node of a reader's own, such as a schedule; returns its address."""
        self.nodes.setdefault(node.address, node)
        return node.address

    def change(self, address: str, **fields: Any) -> None:
        """Change fields of a node."""
        self.nodes[address] = replace(self.nodes[address], **fields)

    def connect(
        self,
        source: str | None,
        target: str | None,
        kind: str,
        by: Resource,
        *,
        known: Known = "declared",
        filters: Iterable[str] = (),
        notes: Iterable[str | None] = (),
        **flags: Any,
    ) -> None:
        """Add an edge, unless one of its ends is nothing.

        Args:
            source: Address of the node that it leads out of.
            target: Address of the node that it leads to.
            kind: See `Edge`.
            by: The resource that makes it.
            known: See `Edge`.
            filters: What it lets pass: one of these.
            notes: Further facts; None is left out.
            flags: Further fields of `Edge`.
        """
        if not source or not target:
            return
        told = tuple(note for note in notes if note)
        edge = Edge(source, target, kind, known, " or ".join(filters), told, by=by.address, **flags)
        if edge not in self.edges:
            self.edges.append(edge)

    def connected(self, source: str, target: str) -> bool:
        """Whether some edge leads from one node to another."""
        return any(edge.source == source and edge.target == target for edge in self.edges)

    def fails_into(self, source: str | None, queue: object, kind: str, by: Resource) -> None:
        """Add an edge for what failed; a queue becomes the failure queue of its node, if it is the first."""
        target = self.at(queue)
        self.connect(source, target, kind, by, failure=True)
        node = self.nodes.get(target or "")
        owner = self.nodes.get(source or "")
        if node and owner and node.type == "sqs" and not owner.failure_queue_url:
            self.change(owner.address, failure_queue_url=node.identifier)

    def _node(self, resource: Resource) -> None:
        self.nodes[resource.address] = node_of(resource)

    def _outside(self, reference: str, types: tuple[str, ...]) -> str:
        node = outside(reference)
        kind = next((KINDS[name] for name in types if name in KINDS), None)
        if kind and not reference.startswith("arn:"):
            node = replace(node, type=kind.type, identifier=reference)
        return self.add(node)


Reader = Callable[[Resource, Building], None]


def decoded(text: object) -> Any:
    """A value from its JSON; an empty object if it is none."""
    try:
        value = json.loads(text) if isinstance(text, str) and text else {}
    except (ValueError, RecursionError):
        return {}
    return value


def pattern(text: object) -> str:
    """A filter's JSON on one line; empty if it lets everything pass."""
    value = decoded(text)
    return json.dumps(value, ensure_ascii=False) if value else ""


def batch(values: Mapping[str, Any]) -> str | None:
    """The size of batches, in words; None for one by one, or if it isn't told."""
    size = values.get("batch_size")
    return f"batches of {size}" if isinstance(size, int) and size > 1 else None
