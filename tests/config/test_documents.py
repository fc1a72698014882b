"""The documents name only what exists: links, files, make targets, commands, messages."""

import ast
import re
import shutil
import subprocess
from functools import cache
from itertools import chain
from pathlib import Path
from typing import get_args

import pytest

from event_harness import cli
from event_harness.explaining.report import State
from event_harness.system.graph.emulated import GAPS

ROOT = Path(__file__).parents[2]
LISTED = subprocess.run(
    [shutil.which("git") or "git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT, capture_output=True, text=True, check=True,
).stdout.splitlines()  # fmt: skip
FILES = [name for name in LISTED if (ROOT / name).exists()]
PAGES = [name for name in FILES if name.endswith(".md")]
PLACEHOLDER = "your-org/event-harness"
TOP = {name.partition("/")[0] for name in FILES if "/" in name}
MAKE_TARGETS = set(re.findall(r"^([a-z.]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def without_blocks(text: str) -> str:
    return re.sub(r"^\s*```.*?^\s*```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", without_blocks(text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# `make bench` writes its results: the lines of a chart are long.
@pytest.mark.parametrize("page", [page for page in PAGES if page != "benchmarks/results.md"])
def test_line_of_a_page_is_at_most_120_columns_wide_unless_it_is_a_row_of_a_table(page):
    wide = [line for line in text_of(page).splitlines() if len(line) > 120 and not line.startswith("|")]
    assert wide == []


def links_of(page: str) -> list[str]:
    """Links to files of the repository."""
    return [
        link for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(text_of(page))) if "://" not in link
    ]


def files_of(page: str) -> list[str]:
    names = re.findall(r"`([\w.-]+(?:/[\w.-]+)+)/?`", text_of(page))
    return [name for name in names if name.partition("/")[0] in TOP]


def targets_of(page: str) -> list[str]:
    commands = re.findall(r"^make ([a-z.]+)", text_of(page), re.MULTILINE)
    return [*commands, *re.findall(r"`make ([a-z.]+)", text_of(page))]


def commands_of(page: str) -> list[str]:
    blocks = "\n".join(re.findall(r"^```.*?^```", text_of(page), re.MULTILINE | re.DOTALL))
    named = re.findall(r"(?:^|\$\()event-harness ([a-z]+)", blocks, re.MULTILINE)
    return named + re.findall(r"`event-harness ([a-z]+)", text_of(page))


def modules_of(page: str) -> list[str]:
    return re.findall(r"python -m ((?:benchmarks|demo|resilience|scale)[\w.]*)", text_of(page))


@pytest.mark.parametrize(
    ("find", "page", "one"),
    [
        (links_of, "README.md", "docs/adopt.md"),
        (files_of, "CONTRIBUTING.md", "tests/unit"),
        (targets_of, "README.md", "demo"),
        (commands_of, "docs/adopt.md", "init"),
        (modules_of, "docs/comparison.md", "benchmarks.side_by_side"),
    ],
)
def test_what_a_page_names_is_found(find, page, one):
    """The next tests look at nothing else."""
    assert one in find(page)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for link in links_of(page):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(target.relative_to(ROOT).as_posix()), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page):
    for name in files_of(page):
        here = [ROOT / name, (ROOT / page).parent / name]
        assert any(path.exists() for path in here), f"{page}: {name}"


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_a_page_names_exists(page):
    assert set(targets_of(page)) <= MAKE_TARGETS


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_exists(page):
    commands = next(action.choices for action in cli.build()._actions if action.dest == "command")
    assert set(commands_of(page)) <= set(commands)


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_a_page_runs_exists(page):
    for module in modules_of(page):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), f"{page}: {module}"


def test_index_names_every_page():
    pages = [name for name in PAGES if re.fullmatch(r"[^/]+|docs/[^/]+|(modules|examples|demo)/.*", name)]
    missing = [name for name in pages if name != "docs/index.md" and linked("docs/index.md", name) is False]
    assert not missing


def test_list_of_decisions_is_complete():
    decisions = [name for name in PAGES if re.fullmatch(r"docs/decisions/\d{4}-.*", name)]
    assert decisions
    for name in decisions:
        assert linked("docs/decisions/README.md", name), name
        number = int(Path(name).name[:4])
        lines = text_of(name).splitlines()
        assert lines[0].startswith(f"# {number}. ")
        assert len(lines) <= 60, f"{name}: a page at most"


def linked(page: str, name: str) -> bool:
    links = re.findall(r"\]\(([^)#\s]+)", text_of(page))
    return (ROOT / name).resolve() in {(ROOT / page).parent.joinpath(link).resolve() for link in links}


def test_repository_has_one_placeholder():
    pattern = re.compile(r"(?:github\.com[/:]|repo:)([\w-]+/[\w-]+)")
    named = {
        (name, found)
        for name in FILES
        if name.endswith((".md", ".tf", ".yml", ".toml"))
        for found in pattern.findall(text_of(name))
        if found.endswith("event-harness") or re.match(r"(?i)owner|your|org\b", found)
    }
    assert named
    assert {found for _, found in named} == {PLACEHOLDER}, named


def test_readme_has_at_most_150_lines():
    assert len(text_of("README.md").splitlines()) <= 150


def test_every_state_of_a_component_is_explained():
    section = text_of("docs/adopt.md").partition("## When a test fails")[2]
    explained = re.findall(r"^- `([\w ]+)`:", section, re.MULTILINE)
    assert explained == [state for state in get_args(State) if state]


@cache
def said() -> str:
    """Every text in the code, with a line for each."""
    texts = [text_of("Makefile")]
    for name in FILES:
        if name.startswith("event_harness/") and name.endswith(".py"):
            constants = (
                node for node in ast.walk(ast.parse(text_of(name))) if isinstance(node, ast.Constant)
            )
            texts += [node.value for node in constants if isinstance(node.value, str)]
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("page", "heading"),
    [
        ("README.md", "| you see | do this |"),
        ("docs/adopt.md", "| the explanation says | the usual reason |"),
    ],
)
def test_messages_in_tables_of_remedies_are_messages_of_the_code(page, heading):
    rows = text_of(page).partition(heading)[2].partition("\n\n")[0].splitlines()
    quoted = list(
        chain.from_iterable(re.findall(r"`([^`]+)`", row.split("|")[1]) for row in rows if row.count("|") > 2)
    )
    assert quoted
    for message in quoted:
        for part in message.split("…"):
            assert part.strip(" ,") in said(), f"{page}: {message}"


def test_table_of_what_the_emulator_does_not_carry_out_is_the_one_that_the_harness_uses():
    text = (ROOT / "docs" / "quirks.md").read_text(encoding="utf-8")
    section = text.partition("## What MiniStack accepts and does not carry out")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert rows == [f"| {gap.what} | {gap.effect} |" for gap in GAPS]
