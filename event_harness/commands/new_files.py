"""The files that `event-harness init` writes: what docs/adopt.md asks for by hand."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from event_harness.commands.survey import ARGUMENTS, Place
from event_harness.terraform import hcl
from event_harness.terraform.configuration import Configuration

REPOSITORY = "https://github.com/your-org/event-harness.git"
RELEASE = "v0.1.0"
SOURCE = f"git::{REPOSITORY}//modules/event_listener?ref={RELEASE}"
TESTS = ("test_event_harness.py", "event_harness_test.py")
GATE, OUTPUT = "deploy_test_resources", "event_harness"
SLA = "30"  # seconds; the default of harness_sla
# Where the listener looks for the id by itself; elsewhere than in a key, only for these.
_BY_ITSELF = {
    "sqs": "the message attribute or the field correlation_id",
    "sns": "the message attribute or the field correlation_id",
    "eventbridge": "the field correlation_id of the detail",
}
# What else carries the id of an input that has it in a field.
_BESIDE_A_FIELD = {
    "http": "the header x-correlation-id",
    "sqs": "the message attribute correlation_id",
    "sns": "the message attribute correlation_id",
}
_CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"
_PYTHON = "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0"


@dataclass(frozen=True)
class Id:
    """Where an event carries the correlation id.

    Attributes:
        kind: `key`, `attribute`, `header`, `query`, `path` or `body`.
        at: the pattern of a key, the name, or the field; empty for a key that is the id, and for a path.
    """

    kind: str
    at: str = ""

    def __str__(self) -> str:
        """In words."""
        kinds = {"body": "the field", "attribute": "the message attribute", "query": "the query parameter"}
        return f"{kinds.get(self.kind, f'the {self.kind}')} {self.at}".rstrip()


USUAL = Id("body", "correlation_id")
"""Where the id of an input or of a result usually is."""


@dataclass(frozen=True)
class Answers:
    """What is known of the system.

    Attributes:
        end: where results arrive.
        result_id: where a result carries its id.
        pattern: the event pattern of a bus.
        entry: where tests send inputs.
        input_id: where an input carries its id.
        body: an input that the system accepts; None for a request without a body.
        sla: seconds within which a result must arrive.
        route: of an API, the method and the path of inputs.
        event: of a bus, the source and the detail-type of inputs.
    """

    end: Place
    result_id: Id
    pattern: Any
    entry: Place
    input_id: Id
    body: Any
    sla: int
    route: tuple[str, str] | None = None
    event: tuple[str, str] | None = None

    @property
    def source(self) -> str:
        """The name of the listener's source; the module takes no other letters."""
        return re.sub(r"[^A-Za-z0-9_-]", "-", self.end.name)[:40]


def terraform(known: Answers, configuration: Configuration, source: str) -> str:
    """The listener's module, its switch, and its output."""
    parts = []
    if GATE not in configuration.variables:
        parts.append(
            f'variable "{GATE}" {{\n'
            '  description = "Whether the event listener and its results table are deployed too; never in '
            'production."\n  type        = bool\n  default     = false\n}\n'
        )
    argument, _ = ARGUMENTS[known.end.type]
    fields = {"type": hcl.expression(known.end.type), argument: known.end.reference}
    if known.end.type == "eventbridge":
        fields["pattern"] = f"jsonencode({hcl.expression(known.pattern)})"
    usual = known.result_id == USUAL and known.end.type in _BY_ITSELF
    if known.result_id.at and not usual:
        fields["correlation"] = hcl.expression({"from": known.result_id.kind, "at": known.result_id.at})
    width = max(map(len, fields))
    lines = "\n".join(f"      {name.ljust(width)} = {text}" for name, text in fields.items())
    if usual:
        lines += (
            f"\n      # The id of an input is in {_BY_ITSELF[known.end.type]}."
            '\n      # If it is in another field: correlation = { from = "body", at = "order.id" }'
        )
    parts.append(
        'module "event_listener" {\n'
        f"  source = {hcl.expression(source)}\n"
        f"  count  = var.{GATE} ? 1 : 0\n"
        f"  name   = {_name(configuration)}\n\n"
        f"  sources = {{\n    {hcl.object_key(known.source)} = {{\n{lines}\n    }}\n  }}\n}}\n"
    )
    if OUTPUT not in configuration.outputs:
        parts.append(f'output "{OUTPUT}" {{\n  value = one(module.event_listener[*].event_harness)\n}}\n')
    return "\n".join(parts)


def _name(configuration: Configuration) -> str:
    """The start of the module's names: the root's own `local.name`, if it has the workspace in it."""
    for _, body in configuration.blocks("locals", 0):
        if "terraform.workspace" in str(body.get("name", "")):
            return "local.name"
    letters = "".join(one if one.isalnum() and one.isascii() else "-" for one in configuration.directory.name)
    name = letters.lower().strip("-")[:20].strip("-")
    return f'"{name if name[:1].isalpha() else "system"}-${{terraform.workspace}}"'


def conftest(known: Answers) -> str:
    """The settings of the producer, and the readiness probe."""
    text = '"""Settings of the harness for this system."""\n\nimport pytest\n\n'
    kind, at = known.input_id.kind, known.input_id.at
    ways = {"field" if kind == "body" else kind: at} if at else {}
    if known.route:
        ways |= {"method": known.route[0], "path": known.route[1]}
    if known.event:
        ways |= {"source": known.event[0], "detail_type": known.event[1]}
    if ways:
        text += (
            '\n@pytest.fixture(scope="session")\ndef harness_producer_settings():\n'
            '    """Where an input carries its correlation id, which the system passes on."""\n'
        )
        if beside := _beside(known):
            text += f"    # {beside[0].upper()}{beside[1:]} carries it, too.\n"
        text += f"    return {_python({known.entry.name: ways})}\n\n"
    if known.body is None:
        return f"{text.rstrip()}\n"
    return text + (
        '\n@pytest.fixture(scope="session")\ndef harness_readiness_probe():\n'
        '    """An input that has a result: it is sent before the first test."""\n'
        f"    return {_python(known.body)}\n"
    )


def _beside(known: Answers) -> str:
    """What else carries the id of an input."""
    if known.input_id.kind == "body":
        return _BESIDE_A_FIELD.get(known.entry.type, "")
    return _BESIDE_A_FIELD["http"] if known.input_id.kind in ("path", "query") else ""


def where_ids_are(known: Answers) -> str:
    """Where inputs and results carry the id, in a sentence without its full stop."""
    beside = _beside(known)
    usual = known.result_id == USUAL and _BY_ITSELF.get(known.end.type)
    return (
        f"An input of {known.entry.name} carries its id in {known.input_id}{beside and f' and in {beside}'},"
        f" a result at {known.end.name} in {usual or known.result_id}"
    )


def test_name(patterns: Sequence[str]) -> str:
    """A name that pytest takes for a file of tests.

    Args:
        patterns: of such names, by the user's ini file; empty for pytest's own.
    """
    for name in TESTS:
        if not patterns or any(fnmatch(name, pattern) for pattern in patterns):
            return name
    return Path(patterns[0].replace("*", "event_harness")).name


def test(known: Answers) -> str:
    """The first test."""
    body = "" if known.body is None else _python(known.body)
    return (
        '"""An input passes the whole system."""\n\n\n'
        "def test_input_has_one_result(producers, listener):\n"
        f"    sent = producers[{_python(known.entry.name)}].send({body})\n"
        "    result = listener.wait_for(sent)\n"
        f"    assert result.source == {_python(known.source)}\n"
        "    listener.expect_exactly(sent, 1, settle=2)\n"
    )


def ini(known: Answers, root: str) -> str:
    """Pytest's ini file."""
    where = "" if root == "." else f"harness_root = {root}\n"
    return (
        f"[pytest]\n{where}"
        "# Seconds within which a result must arrive: the default of every wait.\n"
        f"harness_sla = {known.sla}\n"
    )


def ignore() -> str:
    """What git need not see."""
    return ".event-harness/\n.terraform/\n*.tfstate\n*.tfstate.*\n__pycache__/\n"


def workflow(directory: str) -> str:
    """A workflow of GitHub that runs the tests on the local emulator."""
    where = "" if directory == "." else f"        working-directory: {json.dumps(directory)}\n"
    install = f"event-harness[local,terraform] @ git+{REPOSITORY}@{RELEASE}"
    return (
        "name: Event tests\n\non:\n  push:\n    branches: [main]\n  pull_request:\n\npermissions: {}\n\n"
        "jobs:\n  test:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 30\n"
        "    permissions:\n      contents: read\n    steps:\n"
        f"      - uses: {_CHECKOUT}\n        with:\n          persist-credentials: false\n"
        f'      - uses: {_PYTHON}\n        with:\n          python-version: "3.13"\n'
        f"      - name: Install\n        run: pip install {json.dumps(install)}\n"
        f"      - name: Test on a local AWS emulator\n{where}        run: pytest\n"
    )


def all_of(
    known: Answers, configuration: Configuration, project: Path, top: Path, source: str, test_file: Path
) -> dict[Path, str]:
    """The files, by path, in the order in which they are shown.

    Args:
        known: the answers.
        configuration: the root.
        project: pytest's rootdir.
        top: of the repository.
        source: of the module.
        test_file: the file of the new test.
    """
    root = os.path.relpath(configuration.directory.resolve(), project.resolve())
    return {
        configuration.directory / "event_harness.tf": terraform(known, configuration, source),
        project / "pytest.ini": ini(known, root),
        test_file.with_name("conftest.py"): conftest(known),
        test_file: test(known),
        project / ".gitignore": ignore(),
        top / ".github" / "workflows" / "event-harness.yml": workflow(
            os.path.relpath(project.resolve(), top.resolve())
        ),
    }


def _python(value: Any, indent: str = "    ") -> str:
    """A constant as formatters of Python write it: in double quotes, and in several lines if it is long."""
    if not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    inner = f"{indent}    "
    if isinstance(value, dict):
        items, ends = [f"{_python(name)}: {_python(one, inner)}" for name, one in value.items()], "{}"
    else:
        items, ends = [_python(one, inner) for one in value], "[]"
    line = f"{ends[0]}{', '.join(items)}{ends[1]}"
    if len(indent) + len(line) <= 70 and "\n" not in line:
        return line
    return f"{ends[0]}\n" + "".join(f"{inner}{item},\n" for item in items) + f"{indent}{ends[1]}"
