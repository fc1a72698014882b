"""A root without resources. With it, Terraform destroys all that a state names.

Terraform evaluates the whole configuration before it destroys. So it refuses if a file is missing, or if a
check fails. The empty root holds only the provider blocks, with the values of the apply.
"""

import json
import re
from collections.abc import Iterable, Mapping
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
                    arguments[key] = (
                        "{ " + ", ".join(f"{name} = {text}" for name, text in pairs.items() if text) + " }"
                    )
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


def to_evaluate(found: Mapping[str, Mapping[str, str]]) -> str | None:
    """One line for `terraform console` that evaluates all that isn't constant; None if all is."""
    left = {
        f"{alias}/{name}": " ".join(text.split())
        for alias, arguments in found.items()
        for name, text in arguments.items()
        if not constant(text)[0]
    }
    pairs = ", ".join(f"{json.dumps(name)} = {text}" for name, text in left.items())
    return f"jsonencode({{ {pairs} }})\n" if left else None


def evaluated(found: Mapping[str, Mapping[str, str]], answer: str) -> list[Block]:
    """The provider blocks with the values that `terraform console` has answered, without the unknown ones."""
    try:
        known = json.loads(json.loads(answer))
    except ValueError:
        known = {}
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
