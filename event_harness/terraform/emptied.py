"""A root without resources. With it, Terraform destroys all that a state names.

Terraform evaluates the whole configuration before it destroys. So it refuses if a file is missing, or if a
check fails. The empty root holds only the provider blocks, with the values of the apply.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from event_harness.errors import DestroyError
from event_harness.terraform import hcl
from event_harness.terraform.configuration import Configuration

# Arguments of a provider block that say where, and as whom, it works.
_RECORDED = (
    *("region", "profile", "shared_config_files", "shared_credentials_files", "shared_credentials_file"),
    *("assume_role", "assume_role_with_web_identity", "allowed_account_ids", "forbidden_account_ids"),
)
_CONSTANT = re.compile(r'("[^"$%\\]*"|\[\s*("[^"$%\\]*"\s*,?\s*)*\]|true|false|null|-?\d+(\.\d+)?)')

Block = dict[str, Any]


def expressions(configuration: Configuration) -> dict[str, dict[str, str]]:
    """The expressions of the arguments that are recorded, by alias; those of blocks inside as one object."""
    found: dict[str, dict[str, str]] = {alias: {} for alias in configuration.providers}
    for file, content in configuration.contents.items():
        if file.suffix == ".json":
            for (name,), body in hcl.labelled(content.get("provider", {}), 1):
                if name == configuration.aws:
                    arguments = {key: hcl.from_json(body[key]) for key in _RECORDED if key in body}
                    found[str(body.get("alias", ""))] |= arguments
            continue
        for block in hcl.block_texts(file.read_text(encoding="utf-8-sig"), "provider", configuration.aws):
            body_text = hcl.inside(block)
            arguments = found[str(hcl.parsed(body_text).get("alias", ""))]
            for key in _RECORDED:
                if text := hcl.expression_text(body_text, key):
                    arguments[key] = text
                for inner in hcl.block_texts(body_text, key):
                    inside = hcl.inside(inner)
                    pairs = {name: hcl.expression_text(inside, name) for name in hcl.parsed(inside)}
                    lines = "".join(f"{name} = {text}\n" for name, text in pairs.items() if text)
                    arguments[key] = f"{{\n{lines}}}"
    return found


def only(found: Mapping[str, Mapping[str, str]], name: str) -> dict[str, dict[str, str]]:
    """The expressions of one argument, by alias."""
    return {
        alias: {key: text for key, text in arguments.items() if key == name}
        for alias, arguments in found.items()
    }


def constant(expression: str) -> tuple[bool, Any]:
    """Whether an expression is a plain constant, and its value."""
    if not _CONSTANT.fullmatch(expression.strip()):
        return False, None
    return True, hcl.parsed(f"x = {expression.strip()}\n")["x"]


@dataclass(frozen=True)
class Questions:
    """What `terraform console` is asked about the arguments that aren't constant.

    The expressions may have several lines and comments, and a question has one line. So the expressions are
    values of a file of locals, and the questions name these.

    Attributes:
        locals: the text of the file.
        lines: the questions, each instead of the one before: if a role isn't known yet, the region may be.
    """

    locals: str
    lines: tuple[str, ...]


def questions(found: Mapping[str, Mapping[str, str]]) -> Questions:
    """The questions about all expressions that aren't constant; no lines if all are."""
    left = {
        f"{alias}/{name}": text
        for alias, arguments in found.items()
        for name, text in arguments.items()
        if not constant(text)[0]
    }
    names = {argument: f"event_harness_{number}" for number, argument in enumerate(left)}
    values = "".join(f"  {names[argument]} = {text}\n" for argument, text in left.items())
    asked = (list(names), [argument for argument in names if argument.endswith("/region")])
    lines = [
        "jsonencode({ "
        + ", ".join(f"{json.dumps(argument)} = local.{names[argument]}" for argument in arguments)
        + " })\n"
        for arguments in asked
        if arguments
    ]
    return Questions(f"locals {{\n{values}}}\n", tuple(dict.fromkeys(lines)))


def answered(answer: str) -> Mapping[str, Any]:
    """The values by alias and name in what `terraform console` has answered; empty if it has none."""
    try:
        values = json.loads(json.loads(answer))
    except (ValueError, TypeError):
        return {}
    return values if isinstance(values, dict) else {}


def evaluated(found: Mapping[str, Mapping[str, str]], known: Mapping[str, Any]) -> list[Block]:
    """The provider blocks with the values that Terraform has told, without the unknown ones."""
    blocks = []
    for alias, arguments in found.items():
        block: Block = {"alias": alias} if alias else {}
        for name, text in arguments.items():
            is_constant, value = constant(text)
            value = value if is_constant else known.get(f"{alias}/{name}")
            if value is not None:
                block[name] = value
        blocks.append(block)
    return blocks


def write(
    directory: Path,
    backend: Mapping[str, Any],
    addresses: Iterable[str],
    blocks: Iterable[Mapping[str, Any]],
) -> None:
    """Write the empty root.

    Args:
        directory: where; it is made.
        backend: where the state is to destroy by, as a backend block.
        addresses: of the providers, as a state writes them.
        blocks: the blocks of the provider aws.

    Raises:
        DestroyError: a provider is configured inside a module.
    """
    providers: dict[str, dict[str, str]] = {}
    for address in addresses:
        match = re.fullmatch(r'provider\["([^"]+/([^"/]+))"\](\.\S+)?', address)
        if match is None:
            raise DestroyError(
                f"{address} is configured in a module, so its resources need the configuration"
            )
        providers[match[2]] = {"source": match[1]}
    content: dict[str, Any] = {"terraform": {"required_providers": providers, "backend": dict(backend)}}
    if "aws" in providers:
        content["provider"] = {"aws": list(blocks)}
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "main.tf.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
