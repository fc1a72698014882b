"""Terraform evaluates the expression that stands in for a runtime which is an expression itself."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from event_harness.terraform import toolchain
from event_harness.terraform.generated import RUNTIMES_OVERRIDE
from event_harness.terraform.provider_in_use import ProviderInUse
from event_harness.terraform.recovery import Failure
from event_harness.terraform.runtimes import RuntimeSubstitution

REFUSED = (
    'Error: expected runtime to be one of ["nodejs20.x" "nodejs18.x" "java21" "python3.9" "python3.12"], '
    "got python3.13"
)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("var.runtime", "python3.12"),
        ('"python3.${var.minor}"', "python3.12"),
        ('var.minor == "13" ? "python3.13" : "java21"', "python3.12"),
        ('"java${var.minor == "13" ? "21" : ""}"', "java21"),
        ('lower("NODEJS22.X")', "nodejs20.x"),
        ('lower("RUBY3.4")', "ruby3.4"),
        ('var.minor == "13" ? null : "python3.13"', None),
        ('concat([var.runtime], [lower("NODEJS18.X")])', ["python3.12", "nodejs18.x"]),
        ("var.runtimes", ["python3.12", "java21"]),
    ],
)
def test_runtime_that_is_an_expression_is_substituted_only_if_the_provider_does_not_know_it(
    tmp_path: Path, given: str, wanted: str | list[str] | None
) -> None:
    root, evaluated = tmp_path / "root", tmp_path / "evaluated"
    root.mkdir()
    evaluated.mkdir()
    (root / "main.tf").write_text(f'resource "aws_lambda_function" "a" {{\n  runtime = {given}\n}}\n')
    tools = toolchain.find(target="local")
    substitution = RuntimeSubstitution(ProviderInUse(tools, root), root, tmp_path / "data", cache=tmp_path)
    assert substitution(Failure("plan", "", REFUSED), 0)
    written = json.loads((root / RUNTIMES_OVERRIDE).read_text())["resource"]["aws_lambda_function"]["a"][
        "runtime"
    ]
    variables = {
        "minor": {"default": "13"},
        "runtime": {"default": "python3.13"},
        "runtimes": {"default": ["python3.13", "java21"]},
    }
    configuration = {"variable": variables, "output": {"o": {"value": written}}}
    (evaluated / "main.tf.json").write_text(json.dumps(configuration))
    _run(tools, evaluated, "apply", "-auto-approve")
    assert json.loads(_run(tools, evaluated, "output", "-json")).get("o", {}).get("value") == wanted


def _run(tools: toolchain.Toolchain, directory: Path, *arguments: str) -> Any:
    environ = {"PATH": os.environ["PATH"], "HOME": str(directory)} | tools.environ()
    done = subprocess.run(
        [tools.binary, *arguments], cwd=directory, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
