"""Finds the event listener in a state, by the resource map in its outputs and never by a name."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from event_harness.system.graph.model import Node
from event_harness.system.graph.references import References, canonical, owned_by
from event_harness.system.graph.state import Resource, State

OUTPUT = "event_harness"
"""The Terraform output that holds the resource map."""


@dataclass(frozen=True)
class Listener:
    """The event listener's part of a state.

    Attributes:
        function: ARN of its function; empty if there is no listener.
        sources: What its sources listen to, an ARN or the name of a bucket -> the name of the source.
        modules: Addresses of the modules that hold its resources only.
        addresses: Addresses of its resources that lie in no such module.
    """

    function: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    addresses: frozenset[str] = frozenset()

    def source(self, by: Resource | None, node: Node) -> str | None:
        """The name of the source that a connection is, of the module's own or of the user's."""
        if by is not None and self.owns(by) and isinstance(by.index, str):
            return by.index
        keys = (key for key in (node.arn, node.identifier) if key)
        return next((self.sources[key] for key in keys if key in self.sources), None)

    def owns(self, resource: Resource) -> bool:
        """Whether a resource belongs to the listener."""
        return resource.address in self.addresses or owned_by(resource, self.modules)

    def is_function(self, arn: str) -> bool:
        """Whether an ARN, with or without an alias, is that of its function."""
        return bool(self.function) and canonical(arn) == self.function


def find(state: State) -> Listener:
    """The listener of a state; an empty one if its outputs name none."""
    value = state.outputs.get(OUTPUT)
    if not isinstance(value, Mapping):
        return Listener()
    references = References(one for one in state.resources if one.managed)
    function = references.find(_of(value, "listener", "function"), "aws_lambda_function")
    if function is None:
        return Listener()
    parts = [
        function,
        references.find(_of(value, "listener", "log_group"), "aws_cloudwatch_log_group"),
        references.find(_of(value, "listener", "failure_queue_url"), "aws_sqs_queue"),
        references.find(_of(value, "results", "table"), "aws_dynamodb_table"),
        references.find(_of(value, "results", "overflow_bucket"), "aws_s3_bucket"),
    ]
    return Listener(
        canonical(function.text("arn")),
        _sources(function),
        tuple(_modules(part for part in parts if part)),
        frozenset(part.address for part in parts if part),
    )


def _sources(function: Resource) -> dict[str, str]:
    """What the listener's environment says of its sources."""
    found: dict[str, str] = {}
    for environment in function.blocks("environment"):
        variables = environment.get("variables") or {}
        try:
            sources = json.loads(variables.get("SOURCES") or "{}")
        except (TypeError, ValueError):
            continue
        found |= {canonical(str(source["match"])): name for name, source in sources.items()}
    return found


def _modules(parts: Iterable[Resource]) -> Iterable[str]:
    """The module that holds all of these; none if they lie in the root."""
    names = [part.module.split(".module.") for part in parts]
    common: list[str] = []
    for level in zip(*names, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    module = ".module.".join(common)
    return [module] if module else []


def _of(value: Mapping[str, Any], part: str, name: str) -> object:
    inner = value.get(part)
    return inner.get(name) if isinstance(inner, Mapping) else None
