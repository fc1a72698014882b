"""Reads Terraform's state: the file of a local state, and the text of `terraform show -json`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from event_harness.errors import StateError


@dataclass(frozen=True)
class Resource:
    """One instance of a resource.

    Attributes:
        address: Such as `module.shop[0].aws_sqs_queue.inbox["eu"]`.
        module: Address of its module; empty in the root.
        type: Such as `aws_sqs_queue`.
        name: Its label in the configuration.
        index: Its key or number, if it has `for_each` or `count`.
        values: Its attributes.
        managed: It is a resource, not a data source.
    """

    address: str
    module: str
    type: str
    name: str
    index: str | int | None
    values: Mapping[str, Any]
    managed: bool = True

    def text(self, name: str) -> str:
        """An attribute that is a text; empty if it is missing."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def blocks(self, name: str) -> list[Mapping[str, Any]]:
        """The blocks of this name; an object counts as one block."""
        return blocks(self.values, name)


@dataclass(frozen=True)
class State:
    """What a state holds."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]


def blocks(values: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The blocks of this name in a block."""
    value = values.get(name)
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def read(file: Path) -> State:
    """Read a state.

    Args:
        file: A state file, or the output of `terraform show -json` or `terraform state pull`.

    Raises:
        StateError: There is no such file, it can't be read, or it isn't a state.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise StateError(f"{file} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise StateError(f"{file} is not a Terraform state: it is not UTF-8") from error
    return parse(text, str(file))


def parse(text: str, origin: str) -> State:
    """Read a state from its text.

    Args:
        text: See `read`.
        origin: Where it came from, for messages.

    Raises:
        StateError: It isn't a state.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StateError(f"{origin} is not a Terraform state: it is not JSON") from error
    try:
        if isinstance(value, dict) and "resources" in value and "serial" in value:
            return State(tuple(_of_file(value)), _outputs(value.get("outputs")))
        if isinstance(value, dict) and "format_version" in value:
            shown = value.get("values") or {}
            root = shown.get("root_module") or {}
            return State(tuple(_of_show(root, "")), _outputs(shown.get("outputs")))
    except (KeyError, TypeError, AttributeError) as error:
        raise StateError(f"{origin} can't be read: it was cut off, or is of another version") from error
    raise StateError(
        f"{origin} is not a Terraform state: give a terraform.tfstate of version 4, or what"
        " `terraform show -json` writes"
    )


def _outputs(outputs: Any) -> dict[str, Any]:
    return {name: output.get("value") for name, output in (outputs or {}).items()}


def _of_file(state: Mapping[str, Any]) -> Iterator[Resource]:
    for one in state["resources"]:
        for instance in one["instances"]:
            if "deposed" in instance:
                continue
            module, index = one.get("module", ""), instance.get("index_key")
            managed = one["mode"] == "managed"
            address = _address(module, one["type"], one["name"], index, managed=managed)
            values = instance.get("attributes") or {}
            yield Resource(address, module, one["type"], one["name"], index, values, managed)


def _of_show(module: Mapping[str, Any], address: str) -> Iterator[Resource]:
    for one in module.get("resources", []):
        yield Resource(
            one["address"],
            address,
            one["type"],
            one["name"],
            one.get("index"),
            one.get("values") or {},
            one["mode"] == "managed",
        )
    for child in module.get("child_modules", []):
        yield from _of_show(child, child["address"])


def _address(module: str, type_: str, name: str, index: str | int | None, *, managed: bool) -> str:
    key = "" if index is None else f"[{json.dumps(index, ensure_ascii=False)}]"
    local = f"{'' if managed else 'data.'}{type_}.{name}{key}"
    return f"{module}.{local}" if module else local
