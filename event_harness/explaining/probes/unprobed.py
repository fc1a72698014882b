"""Answers for components that the harness can't look into: an explanation lists them all the same."""

import re

from event_harness.explaining.probes.asking import Question, Seen
from event_harness.explaining.report import Finding
from event_harness.system.resources import Component

_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]')  # of a resource or module with count or for_each


def not_looked_into(_question: Question, component: Component) -> Seen:
    """Say that nothing was asked. IAM: none."""
    text = f"not looked into: the harness doesn't know {kind_of(component.identifier)}"
    return Seen(Finding(component.name, "unknown", text))


def kind_of(resource: str) -> str:
    """The service of an ARN, or the resource type of a Terraform address; any other text as it is."""
    if resource.startswith("arn:"):
        return [*resource.split(":"), ""][2] or resource
    parts = _INDEX.sub("", resource).split(".")
    return parts[-2] if len(parts) > 1 else resource
