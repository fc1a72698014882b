"""Lambda runtimes that the provider in use doesn't know: a function gets another one, on an emulator only."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from event_harness.terraform.configuration import OVERRIDE, Configuration

_OTHER_LANGUAGES = r"(nodejs|java|dotnet|dotnetcore|ruby|go|provided)[\d.a-z]*$"


def override_runtimes(module: Configuration) -> list[Path]:
    """Give the Lambda functions of a module (a copy) a runtime that the old provider knows."""
    functions = substituted(module.functions)
    if not functions:
        return []
    file = module.directory / OVERRIDE
    file.write_text(json.dumps(functions, indent=2) + "\n", encoding="utf-8")
    return [file]


def substituted(functions: Mapping[str, Any]) -> dict[str, Any]:
    """The override of these functions; empty if none needs another runtime."""
    # Provider 3.39 refuses runtimes newer than python3.8 in the plan. MiniStack runs each Python runtime on
    # its own interpreter, whatever the runtime's name.
    python = {
        name: {"runtime": "python3.8"}
        for name, body in functions.items()
        # An expression may mean any runtime.
        if "runtime" in body and not re.match(_OTHER_LANGUAGES, str(body["runtime"]))
    }
    return {"resource": {"aws_lambda_function": python}} if python else {}
