"""Blocks within blocks of a resource in Terraform's state."""

from collections.abc import Mapping
from typing import Any

from event_harness.system.graph.state import Resource, blocks


def text(values: Mapping[str, Any], name: str) -> str:
    """An attribute of a block that is a text; empty if it is null, missing or anything else."""
    found = values.get(name)
    return found if isinstance(found, str) else ""


def within(resource: Resource, *names: str) -> list[Mapping[str, Any]]:
    """All blocks at a path of blocks within blocks."""
    found: list[Mapping[str, Any]] = [resource.values]
    for name in names:
        found = [inner for outer in found for inner in blocks(outer, name)]
    return found
