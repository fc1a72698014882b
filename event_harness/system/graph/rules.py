"""Decides which senders an EventBridge rule listens to: a bus carries the events of all."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from event_harness.system.event_patterns import unmatched_field
from event_harness.system.graph.building import Building
from event_harness.system.graph.model import Edge, Node
from event_harness.system.graph.state import Resource

# AWS services that put their own events on the bus `default`, by resource type of their nodes.
_OWN: Mapping[str, tuple[str, str, Callable[[Node], dict[str, Any]]]] = {
    "aws_s3_bucket": ("aws.s3", "Object Created", lambda node: {"bucket": {"name": node.identifier}}),
    "aws_sfn_state_machine": (
        "aws.states",
        "Step Functions Execution Status Change",
        lambda node: {"stateMachineArn": node.arn},
    ),
}


def limit(building: Building) -> None:
    """Tell for each rule which senders' events it takes; add what services put on the bus by themselves."""
    for edge in list(building.edges):
        if (
            edge.kind.startswith("rule ")
            and edge.filter.startswith("events ")
            and _is_bus(building, edge.source)
        ):
            _named_buckets(building, edge, json.loads(edge.filter.removeprefix("events ")))
            _limit(building, edge, json.loads(edge.filter.removeprefix("events ")))


def _named_buckets(building: Building, edge: Edge, pattern: Mapping[str, Any]) -> None:
    """Connect the buckets that a rule names, also where the bucket's own notification is missing."""
    if "aws.s3" not in (pattern.get("source") or []):
        return
    detail = pattern.get("detail") or {}
    own = (detail.get("bucket") or {}).get("name") or []
    by_trail = (detail.get("requestParameters") or {}).get("bucketName") or []
    for node in list(building.nodes.values()):
        if node.type != "s3" or building.connected(node.address, edge.source):
            continue
        if node.identifier in own:
            building.connect(node.address, edge.source, "notification", _by(building, node), known="named")
        elif node.identifier in by_trail:
            building.connect(node.address, edge.source, "CloudTrail", _by(building, node), known="named")


def _limit(building: Building, edge: Edge, pattern: Mapping[str, Any]) -> None:
    if "source" in pattern and building.nodes[edge.source].identifier == "default":
        for node in list(building.nodes.values()):
            # A state machine tells EventBridge each change of its executions, without a setting for it. An
            # express workflow tells nothing.
            if node.kind == "aws_sfn_state_machine" and _takes(pattern, node):
                resource = _by(building, node)
                if resource.values.get("type") != "EXPRESS":
                    building.connect(node.address, edge.source, "status changes", resource)
    senders = [one.source for one in building.edges if one.target == edge.source]
    own = {
        one for one in senders if building.nodes[one].kind in _OWN and _by_service(building, one, edge.source)
    }
    if not own:
        return
    takes = tuple(
        one
        for one in dict.fromkeys(senders)
        if (_takes(pattern, building.nodes[one]) if one in own else not _services_only(pattern))
    )
    others = None if not _services_only(pattern) and set(takes) == set(senders) else takes
    limited = replace(edge, senders=others)
    building.edges[building.edges.index(edge)] = limited


def _by_service(building: Building, sender: str, bus: str) -> bool:
    """Whether a node sends to a bus only what AWS sends for it."""
    kinds = {one.kind for one in building.edges if (one.source, one.target) == (sender, bus)}
    return kinds <= {"notification", "CloudTrail", "status changes"}


def _takes(pattern: Mapping[str, Any], node: Node) -> bool:
    """Whether a rule takes events of a service about a node, by what is known of them beforehand."""
    source, detail_type, detail = _OWN[node.kind]
    known = {"source": source, "detail-type": detail_type, "detail": detail(node)}
    return unmatched_field(_known_part(pattern, known), known) is None


def _known_part(pattern: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a pattern that the known part of an event has."""
    part: dict[str, Any] = {}
    for name, wanted in pattern.items():
        if name not in known or name == "detail-type":
            continue
        inner = known[name]
        if isinstance(wanted, Mapping) and isinstance(inner, Mapping):
            part[name] = _known_part(wanted, inner)
        elif not isinstance(inner, Mapping):
            part[name] = wanted
    return part


def _services_only(pattern: Mapping[str, Any]) -> bool:
    """Whether a rule takes events of AWS services only: nobody else may use their names."""
    sources = pattern.get("source")
    return isinstance(sources, list) and bool(sources) and all(_of_service(one) for one in sources)


def _of_service(source: Any) -> bool:
    if isinstance(source, Mapping):
        return str(source.get("prefix", "")).startswith("aws.")
    return str(source).startswith("aws.")


def _is_bus(building: Building, address: str) -> bool:
    return building.nodes[address].kind == "aws_cloudwatch_event_bus"


def _by(building: Building, node: Node) -> Resource:
    return next(one for one in building.resources if one.address == node.address)
