"""docs/adopt.md, followed word for word by somebody who has nothing but an empty directory."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adopt.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MODULE = re.compile(r'"git::https://[^"]*//(modules/\w+)\?ref=[^"]*"')


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The files of the page; the module's source is this checkout instead of the repository's address."""
    directory = tmp_path_factory.mktemp("adopt")
    for _, title, text in BLOCKS:
        if title:
            path = directory / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(MODULE.sub(lambda found: f'"{ROOT}/{found.group(1)}"', text), encoding="utf-8")
    return directory


def commands():
    """The commands of the page, in their order, but for the installation: the package is there."""
    lines = [line for kind, title, text in BLOCKS if kind == "sh" and not title for line in text.splitlines()]
    return [line for line in lines if not line.startswith("pip install")]


def test_page_names_files_and_commands():
    assert {"main.tf", "event_harness.tf", "tests/test_orders.py"} <= {title for _, title, _ in BLOCKS}
    assert "pytest" in commands()


def test_every_command_of_the_page_works_in_its_order_and_nothing_is_left(project):
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "EVENT_HARNESS_"))}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    for command in commands():
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=project,
            env=environ,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        if command.startswith("pytest"):
            assert re.search(r"4 passed", done.stdout), f"{command}\n{done.stdout}"
    assert not list((project / ".event-harness").glob("runs/*"))
