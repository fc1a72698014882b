"""We declare nothing that newer providers call deprecated, except one block that has no other form."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from terraform_files import Declaration, arguments, blocks, declarations, of_type, parse, strings

DEPRECATED = json.loads(
    (Path(__file__).parent / "data" / "aws-provider-6.69.1-deprecated.json").read_text(encoding="utf-8")
)
# 3.39 doesn't know the resource that replaces it. Ephemeral deployments, those of the harness, have none.
UNAVOIDABLE = {"modules/private_bucket/main.tf: resource.aws_s3_bucket.this: lifecycle_rule"}


def deprecated_uses(declaration: Declaration) -> Iterator[str]:
    """A line for each deprecated type, argument, block or attribute that a declaration uses."""
    if declaration.kind in ("resource", "data"):
        if declaration.type in DEPRECATED["types"]:
            yield f"{declaration}: the type"
        known = DEPRECATED["arguments"].get(declaration.type, [])
        yield from sorted(
            {f"{declaration}: {path}" for path in _paths(declaration.body, "") if path in known}
        )
    text = "\n".join(strings(declaration.body))
    for type_, attributes in DEPRECATED["attributes"].items():
        pattern = rf"\b{re.escape(type_)}\.\w+(\[[^]]*\])?\.({'|'.join(attributes)})\b"
        yield from (f"{declaration}: {found[0]}" for found in re.finditer(pattern, text))


def _paths(body: dict, path: str) -> Iterator[str]:
    nested = list(blocks(body))
    for name in {*arguments(body), *(name for name, _ in nested)}:
        yield f"{path}{name}"
    for name, block in nested:
        yield from _paths(block, f"{path}{name}.")


def test_nothing_deprecated_is_declared() -> None:
    found = {line for declaration in declarations() for line in deprecated_uses(declaration)}
    assert found == UNAVOIDABLE


def test_an_ephemeral_deployment_declares_nothing_deprecated_at_all() -> None:
    (bucket,) = of_type("aws_s3_bucket", "modules/private_bucket/")
    rules = [one["lifecycle_rule"] for one in bucket.body["dynamic"]]
    assert all("var.ephemeral" in rule["for_each"] for rule in rules)
    assert "lifecycle_rule" not in bucket.body


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('resource "aws_iam_role" "a" {\n  managed_policy_arns = []\n}', "managed_policy_arns"),
        ('resource "aws_s3_bucket" "a" {\n  versioning {\n    enabled = true\n  }\n}', "versioning"),
        ('resource "aws_s3_bucket_object" "a" {}', "the type"),
        ('output "o" {\n  value = { r = data.aws_region.current.name }\n}', "data.aws_region.current.name"),
        ('output "o" {\n  value = "${data.aws_region.here[0].id}-x"\n}', "data.aws_region.here[0].id"),
        (
            'resource "aws_dynamodb_table" "a" {\n  hash_key = "a"\n'
            '  global_secondary_index {\n    hash_key = "b"\n  }\n}',
            "global_secondary_index.hash_key",
        ),
    ],
)
def test_the_check_finds_every_form(tmp_path: Path, text: str, found: str) -> None:
    file = tmp_path / "main.tf"
    file.write_text(text + "\n", encoding="utf-8")
    (declaration,) = parse(file, tmp_path)
    assert [line.removeprefix(f"{declaration}: ") for line in deprecated_uses(declaration)] == [found]


def test_a_function_does_not_wait_for_its_failure_queue() -> None:
    """Newer providers take 25 s to create a queue, and a function waits for its role's policy."""
    texts = {}
    for one in declarations("modules/lambda_function/"):
        body = {**one.body, "depends_on": [*one.body.get("depends_on", [])]}
        if one.kind == "locals":
            texts |= {f"local.{name}": "\n".join(strings({name: value})) for name, value in one.body.items()}
        elif one.kind in ("resource", "data"):
            texts[".".join(one.labels if one.kind == "resource" else ("data", *one.labels))] = "\n".join(
                strings(body)
            )
    awaited = waits_for("aws_lambda_function.this", texts)
    assert "aws_iam_role_policy.this" in awaited  # the way that led to the queue
    assert "aws_sqs_queue.failures" not in awaited


def waits_for(address: str, texts: dict[str, str]) -> set[str]:
    """The addresses that an address depends on, directly or not."""
    found, waiting = set(), [address]
    while waiting:
        text = texts[waiting.pop()]
        direct = {one for one in texts if re.search(rf"(?<![\w.]){re.escape(one)}\b", text)}
        waiting += direct - found
        found |= direct
    return found
