"""Looks at a system that has no tests yet: where inputs may go, and where results may arrive."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from event_harness.commands.graph import of_state
from event_harness.deployments.session import Session
from event_harness.errors import ConfigurationError, SettingError
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
ARGUMENTS = {
    "s3": ("bucket", "bucket"),
    "sqs": ("queue_arn", "arn"),
    "sns": ("topic_arn", "arn"),
    "eventbridge": ("bus", "name"),
    "dynamodb": ("stream_arn", "stream_arn"),
    "kinesis": ("stream_arn", "arn"),
}
"""The listener's field for each type of source, and the attribute of the resource that it takes."""
_KINDS = {type_: kind for kind, type_ in _TYPES.items()}
_INDEX = r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]"  # of an instance: `[0]`, `["eu"]`
# Attributes with the same value as the one above.
_SAME = {"s3": ("id",), "sns": ("id",), "eventbridge": ("id",), "kinesis": ("id",)}


@dataclass(frozen=True)
class Place:
    """A resource that inputs may be sent to, or at which results may arrive.

    Attributes:
        address: its Terraform address.
        name: its name for tests.
        type: of the source or component.
        listens: whether the listener can listen to it.
        output: the output of its module that the listener needs; empty for a resource of the root.
    """

    address: str
    name: str
    type: str
    listens: bool = True
    output: str = ""

    @property
    def reference(self) -> str:
        """What the root writes to name it to the listener."""
        return self.output or f"{self.address}.{ARGUMENTS[self.type][1]}"


def places(configuration: Configuration, deployed: Collection[str] = ()) -> list[Place]:
    """The places of the root, and of modules with an output for them.

    Args:
        configuration: the root.
        deployed: the addresses of a copy. Those with an index tell the instances of what has count or
            for_each; without them, it has no places.
    """
    blocks = dict(configuration.blocks("resource", 2))
    inner = [place for place in _of_modules(configuration, deployed) if place.output]
    found = [
        Place(address, "", _TYPES[kind], _streams(kind, body))
        for (kind, name), body in blocks.items()
        if kind in _TYPES
        for address in _instances(f"{kind}.{name}", body, deployed)
    ]
    nodes = [Node(f"{kind}.{name}", "", kind, KINDS[kind].type, "") for kind, name in blocks if kind in KINDS]
    nodes = [node for node in nodes if node.kind not in _TYPES or not _repeated(blocks, node.address)]
    nodes += [
        Node(place.address, "", _KINDS[place.type], place.type, "")
        for place in [*found, *inner]
        if place.address not in {node.address for node in nodes}
    ]
    called = names(nodes)
    every = [replace(place, name=called[place.address]) for place in [*found, *inner]]
    return sorted(every, key=lambda place: place.address)


def several(configuration: Configuration) -> list[str]:
    """The addresses of what has count or for_each, whose instances only a deployed copy tells."""
    resources = [(f"{kind}.{name}", body) for (kind, name), body in configuration.blocks("resource", 2)]
    modules = [
        (f"module.{name}", call) for (name,), call in configuration.blocks("module", 1) if _is_local(call)
    ]
    return [
        address
        for address, body in [*resources, *modules]
        if not _once(body) and address.partition(".")[0] in {"module", *_TYPES}
    ]


def without_output(configuration: Configuration, deployed: Collection[str] = ()) -> list[str]:
    """What the listener would need of the places in modules that no output tells."""
    return [
        f"{place.address}.{ARGUMENTS[place.type][1]}"
        for place in _of_modules(configuration, deployed)
        if place.listens and not place.output
    ]


def _of_modules(configuration: Configuration, deployed: Collection[str]) -> list[Place]:
    """The places of the root's local modules, each with the output that names it, if there is one."""
    found = []
    for (module,), call in configuration.blocks("module", 1):
        if not _is_local(call):
            continue
        source = str(call["source"])
        try:
            inner = Configuration.read(configuration.directory / source, tofu=configuration.tofu)
        except ConfigurationError:  # Terraform reports it
            continue
        told = {_bare(body.get("value")): name for (name,), body in inner.blocks("output", 1)}
        for prefix in _instances(f"module.{module}", call, deployed):
            for (kind, name), body in inner.blocks("resource", 2):
                if kind not in _TYPES:
                    continue
                type_ = _TYPES[kind]
                for address in _instances(f"{prefix}.{kind}.{name}", body, deployed):
                    label = address.removeprefix(f"{prefix}.")
                    wanted = (f"{label}.{one}" for one in (ARGUMENTS[type_][1], *_SAME.get(type_, ())))
                    output = next((told[one] for one in wanted if one in told), "")
                    reference = f"{prefix}.{output}" if output else ""
                    found.append(Place(address, name, type_, _streams(kind, body), reference))
    return found


def _is_local(call: Mapping[str, Any]) -> bool:
    return str(call.get("source", "")).startswith(("./", "../"))


def _once(body: Mapping[str, Any]) -> bool:
    return not {"count", "for_each"} & set(body)


def _repeated(blocks: Mapping[tuple[str, ...], Mapping[str, Any]], address: str) -> bool:
    return not _once(blocks[tuple(address.split("."))])


def _instances(address: str, body: Mapping[str, Any], deployed: Collection[str]) -> list[str]:
    """The address itself, or those of its instances if it has count or for_each."""
    if _once(body):
        return [address]
    instance = re.compile(re.escape(address) + _INDEX)
    return sorted({found[0] for one in deployed if (found := instance.match(one))})


def _streams(kind: str, body: Mapping[str, Any]) -> bool:
    return kind != "aws_dynamodb_table" or "stream_enabled" in body


def _bare(value: Any) -> str:
    """An expression, in the syntax of JSON, too."""
    return str(value).strip().removeprefix("${").removesuffix("}")


def key(place: Place, configuration: Configuration) -> str:
    """The partition key of a table; empty if the configuration doesn't name it, or if it is no table."""
    for labels, body in configuration.blocks("resource", 2):
        if ".".join(labels) == place.address.partition("[")[0] and place.type == "dynamodb":
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


def event(graph: Graph, bus: str) -> tuple[str, str]:
    """The source and the detail-type of events that a rule of a bus takes; empty where no rule names one.

    Args:
        graph: of a deployed copy.
        bus: its address.
    """
    found = [
        (_first(pattern.get("source")), _first(pattern.get("detail-type")))
        for edge in graph.out(bus)
        if edge.filter.startswith("events ")
        and isinstance(pattern := json.loads(edge.filter.removeprefix("events ")), dict)
    ]
    return max(found, key=lambda one: sum(map(bool, one)), default=("", ""))


def _first(choices: Any) -> str:
    """A text that one of the choices of an event pattern takes; empty if none names a text."""
    for one in choices if isinstance(choices, list) else []:
        told = one if isinstance(one, str) else None
        if isinstance(one, dict):
            told = next((one[how] for how in ("prefix", "equals-ignore-case") if how in one), None)
        if isinstance(told, str) and told:
            return told
    return ""
