"""Looks at a system that has no tests yet: where inputs may go, and where results may arrive."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from event_harness.commands.graph import of_state
from event_harness.deployments.session import Session
from event_harness.errors import SettingError
from event_harness.producers import BY_TYPE
from event_harness.settings import Settings
from event_harness.system.graph import state, walks
from event_harness.system.graph.model import Graph, Node
from event_harness.system.graph.names import names
from event_harness.system.graph.nodes import KINDS
from event_harness.terraform.configuration import Configuration

# The types of resources to which the listener can listen, with the type of their source.
_TYPES = {
    "aws_s3_bucket": "s3",
    "aws_sqs_queue": "sqs",
    "aws_sns_topic": "sns",
    "aws_cloudwatch_event_bus": "eventbridge",
    "aws_dynamodb_table": "dynamodb",
    "aws_kinesis_stream": "kinesis",
}


@dataclass(frozen=True)
class Place:
    """A resource of the root that inputs may be sent to, or at which results may arrive.

    Attributes:
        address: its Terraform address.
        name: its name for tests.
        type: of the source or component.
        listens: whether the listener can listen to it.
    """

    address: str
    name: str
    type: str
    listens: bool = True


def places(configuration: Configuration) -> list[Place]:
    """The places that the root declares, without those that are there several times."""
    blocks = dict(configuration.blocks("resource", 2))
    called = names(
        Node(f"{kind}.{name}", "", kind, KINDS[kind].type, "") for kind, name in blocks if kind in KINDS
    )
    found = [
        Place(
            f"{kind}.{name}",
            called[f"{kind}.{name}"],
            _TYPES[kind],
            kind != "aws_dynamodb_table" or "stream_enabled" in body,
        )
        for (kind, name), body in blocks.items()
        if kind in _TYPES and not {"count", "for_each"} & set(body)
    ]
    return sorted(found, key=lambda place: place.address)


def key(place: Place, configuration: Configuration) -> str:
    """The partition key of a table; empty if the configuration doesn't name it, or if it is no table."""
    for labels, body in configuration.blocks("resource", 2):
        if ".".join(labels) == place.address and place.type == "dynamodb":
            name = body.get("hash_key")
            return name if isinstance(name, str) and name.isidentifier() else ""
    return ""


def deployed(settings: Settings, project: Path, say: Callable[[str], None]) -> Graph:
    """The graph of the system, seen in a copy of it that lives for a moment on a local emulator.

    Raises:
        HarnessError: it can't be deployed; terraform's message says why.
    """
    session = Session(settings, project, say=say)
    try:
        session.system()
        if session.deployment is None:
            raise SettingError("a setting names a system that is deployed already: unset resources and reuse")
        return of_state(state.read(session.deployment.record.state))
    finally:
        session.close()


def named(graph: Graph, found: list[Place]) -> list[Place]:
    """The places under the names that tests use: a queue and a topic of one label get longer ones."""
    return [
        replace(place, name=graph.nodes[place.address].name) if place.address in graph.nodes else place
        for place in found
    ]


def ends(graph: Graph, found: list[Place]) -> list[Place]:
    """The places at which events arrive and from which none goes on, those for failures last."""
    there = [
        place
        for place in found
        if place.listens
        and any(edge.carries or edge.failure for edge in graph.into(place.address))
        and not any(edge.carries for edge in graph.out(place.address))
    ]
    return sorted(there, key=lambda place: any(edge.failure for edge in graph.into(place.address)))


def entries(graph: Graph, found: list[Place]) -> list[Place]:
    """Where events enter the system: also an API or a function, which is none of the places that listen."""
    known = {place.address: place for place in found}
    return [
        known.get(address) or Place(address, graph.nodes[address].name, graph.nodes[address].type, False)
        for address in walks.entries(graph, lambda address: graph.nodes[address].type in BY_TYPE)
    ]
