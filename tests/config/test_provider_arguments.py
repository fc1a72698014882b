"""What we write is known to the oldest and to the newest provider that `versions.tf` allows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from terraform_files import Declaration, arguments, blocks, declarations, is_block, of_kind, parse

DATA = Path(__file__).parent / "data"
VERSIONS = ("3.39.0", "6.69.1")


def known_types(version: str) -> dict[str, Any]:
    return json.loads((DATA / f"aws-provider-{version}-arguments.json").read_text(encoding="utf-8"))["types"]


def unknown_arguments(declaration: Declaration, version: str) -> list[str]:
    """One line for each argument or block that the provider doesn't know, or that it misses."""
    known = known_types(version).get(declaration.type)
    if known is None:
        return [f"{declaration}: aws {version} has no such type (or the list of it lacks it)"]
    return [
        f"{declaration}: {problem} in aws {version}" for problem in _problems(declaration.body, known, "")
    ]


def _problems(body: dict[str, Any], known: dict[str, Any], path: str) -> Iterator[str]:
    nested = list(blocks(body))
    used = {*arguments(body), *(name for name, _ in nested)}
    for name in sorted(used - known.keys()):
        yield f"argument {path}{name} is unknown"
    for name in sorted(used & known.keys()):
        if ("block" in known[name]) != (name in dict(nested)):
            yield f"{path}{name} is {'a block' if 'block' in known[name] else 'an argument'}"
    for name in sorted(name for name, one in known.items() if one["required"] and name not in used):
        yield f"argument {path}{name} is required but not there"
    for name, block in nested:
        if "block" in known.get(name, {}):
            yield from _problems(block, known[name]["block"], f"{path}{name}.")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_argument_and_block_is_known_to_the_provider(version: str) -> None:
    ours = [d for d in declarations() if d.kind in ("resource", "data") and d.labels[0].startswith("aws_")]
    problems = [problem for declaration in ours for problem in unknown_arguments(declaration, version)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_check_names_file_resource_and_argument(tmp_path: Path, version: str) -> None:
    """Every mistake in one file, and a line for each."""
    file = tmp_path / "main.tf"
    file.write_text(
        """
        resource "aws_sqs_queue" "a" {
          nonsense = 1
          name {}
        }
        resource "aws_dynamodb_table" "b" {
          name = "b"
          hash_key = "id"
          attribute {
            name = "id"
          }
          ttl = {}
          dynamic "local_secondary_index" {
            for_each = []
            content {
              name = "i"
              projection_type = "ALL"
              range_key = "r"
              nonsense = 1
            }
          }
        }
        resource "aws_nonsense" "c" {}
        data "aws_region" "d" {
          count = 1
        }
        """,
        encoding="utf-8",
    )
    found = [problem for one in parse(file, tmp_path) for problem in unknown_arguments(one, version)]
    queue, table = "main.tf: resource.aws_sqs_queue.a", "main.tf: resource.aws_dynamodb_table.b"
    assert found == [
        f"{queue}: argument nonsense is unknown in aws {version}",
        f"{queue}: name is an argument in aws {version}",
        f"{table}: ttl is a block in aws {version}",
        f"{table}: argument attribute.type is required but not there in aws {version}",
        f"{table}: argument local_secondary_index.nonsense is unknown in aws {version}",
        f"main.tf: resource.aws_nonsense.c: aws {version} has no such type (or the list of it lacks it)",
    ]


def test_no_provider_is_allowed_that_refuses_the_blocks_of_a_bucket() -> None:
    """From 4.0 to 4.8 they were read-only; each of these minor releases has one version."""
    (ours,) = of_kind("terraform", "modules/private_bucket/")
    constraints = ours.body["required_providers"][0]["aws"]["version"].split(", ")
    assert {f"!= 4.{minor}.0" for minor in range(9)} <= set(constraints)


def test_blocks_are_told_from_lists_of_objects(tmp_path: Path) -> None:
    file = tmp_path / "main.tf"
    file.write_text('module "m" {\n  list = [{ a = 1 }]\n  block {}\n}\n', encoding="utf-8")
    (module,) = parse(file, tmp_path)
    assert (is_block(module.body["list"]), is_block(module.body["block"])) == (False, True)
