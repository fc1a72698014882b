"""Every block of code in a page is checked, and the test that runs it is named here.

A block that no line below covers fails, so a new one needs a test first. test_commands.py has each command.
"""

import argparse
import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from terraform_files import Declaration, parse
from test_documents import PAGES, ROOT, text_of
from test_provider_arguments import VERSIONS, unknown_arguments

from event_harness import cli

_BLOCK = re.compile(r"^( *)```(\S*)([^\n]*)\n(.*?)^\1```[ ]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code of a page."""

    page: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.language}: {self.text.strip().splitlines()[0][:50]}"


BLOCKS = [
    Block(page, match[2], re.sub(rf"^{match[1]}", "", match[4], flags=re.MULTILINE))
    for page in PAGES
    for match in _BLOCK.finditer(text_of(page))
]


def of(*languages):
    return [block for block in BLOCKS if block.language in languages]


INTEGRATION, LONG = "tests/integration/", "tests/commands/"
BY_HAND = LONG + "test_deploy_by_hand.py"
HCL = LONG + "test_adopt.py::test_module_can_come_from_a_local_checkout"
# Page, language, what its text contains -> the test that runs it. Tests take the commands from their pages.
# Here each block is checked, too: commands are parsed as by the program itself, Python is typed, HCL is
# compared with the module, and with the oldest and the newest provider.
RUN_BY = [
    ("docs/adopt.md", "", "", LONG + "test_adopt.py"),
    ("docs/adopt.md", "sh", "terraform show", BY_HAND),
    ("docs/adopt.md", "sh", "--harness-target=http", INTEGRATION + "test_reuse.py"),
    (
        "README.md",
        "python",
        "producer.send",
        INTEGRATION + "test_text_processor.py::test_text_comes_back_in_upper",
    ),
    ("README.md", "hcl", "event_listener", HCL),
    ("README.md", "sh", "make demo", LONG + "test_demo.py"),
    ("README.md", "sh", "make deploy.g", BY_HAND),
    ("README.md", "sh", "terraform apply", BY_HAND),
    (
        "docs/aws.md",
        "json",
        "sts:AssumeRole",
        "tests/config/test_workflows.py::test_trust_policy_admits_only",
    ),
    ("docs/aws.md", "sh", "make deploy.g", BY_HAND),
    ("docs/aws.md", "sh", "--remote-state", INTEGRATION + "test_sweep.py::test_another_machine_destroys_by"),
    ("docs/aws.md", "hcl", "aws_s3_bucket", HCL),
    ("docs/ci.md", "sh", "make schedule", "tests/config/test_release.py::test_schedule_for_gitlab_does"),
    ("docs/comparison.md", "sh", "make bench", "tests/config/test_commands.py"),
    ("docs/debugging.md", "sh", "--harness-debug", INTEGRATION + "test_inspecting.py"),
    ("docs/debugging.md", "text", "waits for a debugger", INTEGRATION + "test_inspecting.py"),
    ("docs/debugging.md", "json", "pathMappings", INTEGRATION + "test_inspecting.py"),
    ("docs/debugging.md", "sh", "--cov", INTEGRATION + "test_inspecting.py"),
    ("docs/failures.md", "sh", "redrive", LONG + "test_adopt.py"),
    ("docs/faults.md", "python", "faults", INTEGRATION + "test_faults_on_purpose.py"),
    ("docs/faults.md", "text", "injected", INTEGRATION + "test_faults_on_purpose.py"),
    ("docs/permissions.md", "text", "access denied", INTEGRATION + "test_permissions.py"),
    ("docs/permissions.md", "text", "lacks a permission", INTEGRATION + "test_permissions.py"),
    ("docs/reference.md", "python", "check=False", "tests/unit/producers"),
    ("docs/reference.md", "python", "listener.sent", "tests/unit/listening"),
    ("docs/report.md", "sh", "--harness-report", LONG + "test_adopt.py"),
    ("docs/scale.md", "sh", "make simulate", "tests/unit/scale/test_scale.py"),
    ("docs/scale.md", "text", "One test session", "tests/unit/scale/test_scale.py"),
    ("docs/tutorial.md", "sh", "make demo", LONG + "test_demo.py"),
    ("docs/tutorial.md", "sh", "test_first.py", INTEGRATION + "failing/test_tutorial.py"),
    ("docs/tutorial.md", "(python|text)", "", INTEGRATION + "failing/test_tutorial.py"),
    ("docs/timeouts.md", "sh", "", LONG + "test_adopt.py"),
    ("docs/keep-and-sync.md", "sh", "", LONG + "test_adopt.py"),
    (
        "examples/.*",
        "sh",
        "pytest",
        LONG + "test_account_policy.py::test_policy_suffices_for_an_example",
    ),
    (
        "examples/.*",
        "json",
        "Sid",
        LONG + "test_account_policy.py::test_policy_suffices_for_an_example",
    ),
    ("examples/.*", "", "-> Lambda", "examples"),  # a picture
    ("modules/.*", "hcl", "", HCL),
    (".*", "mermaid", "", LONG + "test_site.py::test_every_page_fits"),
]


def covers(page, language, text, block):
    return (
        re.fullmatch(page, block.page)
        and (not language or re.fullmatch(language, block.language))
        and text in block.text
    )


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_names_the_test_that_runs_it(block):
    tests = [test for page, language, text, test in RUN_BY if covers(page, language, text, block)]
    assert tests, f"{block}: no test runs it; add the test and a line to RUN_BY"
    for test in tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).exists(), test
        assert not name or f"def {name}" in (ROOT / file).read_text(encoding="utf-8"), test


def test_every_line_of_the_list_covers_a_block():
    unused = [
        (page, language, text)
        for page, language, text, _ in RUN_BY
        if not any(covers(page, language, text, one) for one in BLOCKS)
    ]
    assert unused == []


# Their commands are `pytest` itself, with options that the test adds to, and rows of the benchmarks.
NOT_READ = ("examples/", "docs/comparison.md")


@pytest.mark.parametrize(
    "block", [block for block in of("sh") if not block.page.startswith(NOT_READ)], ids=str
)
def test_commands_are_taken_from_their_page_by_the_test_that_runs_them(block):
    files = [test.partition("::")[0] for *where, test in RUN_BY if covers(*where, block)]
    texts = [(ROOT / file).read_text(encoding="utf-8") for file in files if (ROOT / file).is_file()]
    assert any(block.page in text or f'"{block.page.rpartition("/")[2]}"' in text for text in texts), files


def test_comment_beside_a_command_ends_where_a_reader_sees_it():
    """The site shows 84 columns of a block on a screen of 1,280 pixels; the rest must be scrolled to."""
    lines = [(block.page, line) for block in of("sh") for line in block.text.splitlines()]
    assert [one for one in lines if "#" in one[1] and len(one[1]) > 84] == []


COMMANDS = sorted(
    {
        (re.sub(r"(^| +)#.*", "", line).strip(), block.page)
        for block in of("sh")
        for line in block.text.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    }
)


@pytest.mark.parametrize(("command", "page"), COMMANDS, ids=[f"{p}: {c}" for c, p in COMMANDS])
def test_command_is_one_that_its_program_takes(command, page):
    words = shlex.split(re.sub(r"\$\(.*\)", "d1m8az809299wa", command))
    program, *arguments = words
    if program == "event-harness":
        try:
            cli.build().parse_args(arguments)
        except (SystemExit, argparse.ArgumentError) as error:
            pytest.fail(f"{page}: {command}: {error}")
    elif program == "make":
        done = subprocess.run(
            [shutil.which("make") or "make", "-n", "READY=", *arguments],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        makefile = text_of_makefile()
        for name in re.findall(r"^([A-Z]+)=", "\n".join(arguments), re.MULTILINE):
            assert f"$({name})" in makefile or f"$({name}," in makefile, f"there is no variable {name}"
    elif program == "pytest":
        code, said = collected(*arguments)
        # Nothing is selected by another `-k`: that is exit code 5.
        assert code in (0, 5), said
    elif words[:2] == [".venv/bin/python", "-m"]:
        done = subprocess.run(
            [sys.executable, "-m", words[2], "--help"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert all(one in done.stdout for one in words[3:] if one.startswith("--"))
    else:  # a program that isn't ours
        assert program in ("terraform", "pip", "echo", "cat", ".venv/bin/pytest"), f"{page}: {command}"


def text_of_makefile():
    return (ROOT / "Makefile").read_text(encoding="utf-8")


@functools.cache  # several pages name the same command
def collected(*arguments):
    """The exit code of pytest with these arguments, which collects one test, and what it prints."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "EVENT_HARNESS_"))}
    without = [f"-pno:{plugin}" for plugin in ("cacheprovider", "hypothesispytest", "html", "metadata")]
    with tempfile.TemporaryDirectory(prefix="snippets-") as directory:
        Path(directory, "test_it.py").write_text("def test_total(): pass\n")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *without, *arguments, "--collect-only", "-q"],
            cwd=directory, env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


_TYPES = {
    "producer": "Producer",
    "listener": "Listener",
    "faults": "Faults",
    "browser": "Any",
    "order": "Any",
}
_HEAD = """from typing import Any
from event_harness import Listener, Producer
from event_harness.faults.faults import Faults
order: Any = {}
"""


def test_python_in_pages_has_the_types_of_the_package(tmp_path):
    parts = []
    for number, block in enumerate(of("python")):
        text = re.sub(r"def test_", f"def test_{number}_", block.text)
        text = re.sub(r"(def \w+)\((.*)\):\n", lambda found: f"{found[1]}({typed(found[2])}) -> Any:\n", text)
        text = re.sub(r"\border\b(?=\()", f"order_{number}", text)
        if "def " not in text:
            inside = "".join(f"    {line}\n" for line in text.splitlines())
            text = f"def snippet_{number}(producer: Producer, listener: Listener) -> None:\n{inside}"
        parts.append(f"# {block.page}\n{text}")
    file = tmp_path / "snippets.py"
    file.write_text(_HEAD + "\n\n".join(parts), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(file)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def typed(names):
    return ", ".join(f"{name}: {_TYPES.get(name, 'Any')}" for name in names.split(", ") if name)


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_in_pages_is_json(block):
    text = block.text.strip()
    json.loads(text if text.startswith(("{", "[")) else f"[{text}]")


def hcl_of(block, tmp_path) -> list[Declaration]:
    file = tmp_path / "main.tf"
    text = block.text
    if re.match(r"\w+ = ", text):  # arguments of the module
        text = f'module "event_listener" {{\n{text}}}\n'
    file.write_text(text, encoding="utf-8")
    return parse(file, tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("block", of("hcl"), ids=str)
def test_resources_in_pages_are_known_to_the_oldest_and_the_newest_provider(block, version, tmp_path):
    resources = [one for one in hcl_of(block, tmp_path) if one.kind == "resource"]
    assert [problem for one in resources for problem in unknown_arguments(one, version)] == []


@pytest.mark.parametrize("block", of("hcl"), ids=str)
def test_modules_in_pages_get_only_inputs_that_they_have(block, tmp_path):
    for one in hcl_of(block, tmp_path):
        source = str(one.body.get("source", "modules/event_listener")).strip('"')
        directory = re.search(r"(event_listener|lambda_function|text_processor|private_bucket)", source)
        if one.kind == "module" and directory:
            inputs = {
                two.labels[0]
                for two in parse(ROOT / "modules" / directory[1] / "variables.tf")
                if two.kind == "variable"
            }
            given = {name for name in one.body if not name.startswith("__")}
            assert given - {"source", "count", "for_each", "depends_on", "version"} <= inputs
