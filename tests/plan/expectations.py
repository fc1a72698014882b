"""Compares a plan with the expectations in the TOML file beside its input.

`guarantee`    a sentence that says what the case shows
`errors`       the messages with which Terraform refuses the input; excludes all other keys
`after`        the name of the case that is applied first
`resources`    how many resources of each type the plan holds; complete
`values`       by address, some of the planned values
`unmentioned`  texts that no planned value of a resource or an output may contain
`null_outputs` the outputs that are null
`outputs`      by name, some of the values in the output
`changes`      by action, the addresses that it changes; complete
`policies`     by address of a role's policy and by statement, the allowed `actions` and the resources (`on`);
               known after apply only; `*` stands for text that AWS or the provider generates, `[*]` for an
               asterisk
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import tftest

KEYS = {
    "guarantee", "errors", "after", "resources", "values", "unmentioned", "null_outputs", "outputs",
    "changes", "policies",
}  # fmt: skip


def differences(expected: dict[str, Any], plan: tftest.TerraformPlanOutput) -> list[str]:
    """One line for each difference between the plan and the expectation."""
    found = [f"unknown key {key} in the expectation" for key in expected.keys() - KEYS]
    planned = {resource["address"]: resource for resource in _managed(plan.planned_values["root_module"])}
    if "resources" in expected:
        counted = dict(sorted(Counter(resource["type"] for resource in planned.values()).items()))
        found += _different("resources", expected["resources"], counted)
    for address, values in expected.get("values", {}).items():
        if address not in planned:
            found.append(f"{address} is not in the plan")
            continue
        for name, value in values.items():
            got = _part(planned[address]["values"].get(name), like=value)
            found += _different(f"{address}.{name}", value, got)
    outputs = [output.get("value") for output in plan.planned_values.get("outputs", {}).values()]
    text = json.dumps([plan.planned_values["root_module"], outputs])
    found += [f"the plan mentions {word!r}" for word in expected.get("unmentioned", []) if word in text]
    changed = plan.output_changes
    for name in expected.get("null_outputs", []):
        if changed[name]["after"] is not None or changed[name]["after_unknown"]:
            found.append(f"output {name} is not null")
    for name, value in expected.get("outputs", {}).items():
        found += _different(f"output {name}", value, _part(changed[name]["after"], like=value))
    if "changes" in expected:
        found += _different("changes", expected["changes"], _changes(plan))
    for address, statements in expected.get("policies", {}).items():
        got = _allowed(planned[address]["values"]["policy"])
        found += _different(address, statements, _matched(got, statements))
    return found


def refusals(message: str) -> list[str]:
    """The messages in Terraform's refusal, one by one."""
    errors = message.partition("failed (exit code 1): ")[2].rpartition(" [")[0].split(" | ")
    without_place = [re.sub(r" \(\S+ line \d+\)$", "", error) for error in errors]
    return [error.removeprefix("Invalid value for variable: ") for error in without_place]


def read(case: Path) -> dict[str, Any]:
    """The expectation beside a case's input."""
    return tomllib.loads(case.with_suffix(".toml").read_text(encoding="utf-8"))


def _managed(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (one for one in module.get("resources", []) if one["mode"] == "managed")
    for child in module.get("child_modules", []):
        yield from _managed(child)


def _changes(plan: tftest.TerraformPlanOutput) -> dict[str, list[str]]:
    changes: dict[str, list[str]] = {}
    for address, resource in plan.resource_changes.items():
        action = "/".join(resource["change"]["actions"])
        if resource["mode"] == "managed" and action != "no-op":
            changes.setdefault(action, []).append(address)
    return {action: sorted(addresses) for action, addresses in changes.items()}


def _allowed(policy: str) -> dict[str, dict[str, list[str]]]:
    def as_list(value: Any) -> list[str]:
        return sorted([value] if isinstance(value, str) else value)

    return {
        statement["Sid"]: {"actions": as_list(statement["Action"]), "on": as_list(statement["Resource"])}
        for statement in json.loads(policy)["Statement"]
    }


def _matched(got: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """The allowed actions and resources, with the expected pattern in place of each resource that fits it."""

    def pattern_of(resource: str, patterns: list[str]) -> str:
        return next((pattern for pattern in patterns if fnmatchcase(resource, pattern)), resource)

    return {
        name: statement
        | {"on": [pattern_of(one, expected.get(name, {}).get("on", [])) for one in statement["on"]]}
        for name, statement in got.items()
    }


def _part(value: Any, *, like: Any) -> Any:
    """The part of a value that the expectation names: a provider may add further keys."""
    if isinstance(value, dict) and isinstance(like, dict):
        return {key: _part(value.get(key), like=inner) for key, inner in like.items()}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [_part(one, like=inner) for one, inner in zip(value, like, strict=True)]
    return value


def _different(what: str, expected: Any, got: Any) -> list[str]:
    if isinstance(expected, dict) and isinstance(got, dict):
        keys = sorted(expected.keys() | got.keys())
        return [line for key in keys for line in _different(f"{what}.{key}", expected.get(key), got.get(key))]
    return [] if expected == got else [f"{what}: expected {expected!r}, got {got!r}"]
