"""docs/adopt.md works word for word, starting from an empty directory."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adopt.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
REPOSITORY = "https://github.com/your-org/event-harness.git"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A git repository with this checkout's modules and the tag that the page names."""
    directory = tmp_path_factory.mktemp("origin") / "event-harness.git"
    for part in ("modules", "functions"):
        shutil.copytree(ROOT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__"))
    git = ["git", "-C", directory, "-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "release"], ["tag", "v0.1.0"]):
        subprocess.run([*git, *command], check=True)
    return f"file://{directory}"


@pytest.fixture(scope="module")
def project(tmp_path_factory, repository):
    """The files of the page; only the address of the repository differs."""
    directory = tmp_path_factory.mktemp("adopt")
    for _, title, text in BLOCKS:
        if title:
            path = directory / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(REPOSITORY, repository), encoding="utf-8")
    return directory


def commands():
    """Return the commands of the page, in order."""
    return [line for kind, title, text in BLOCKS if kind == "sh" and not title for line in text.splitlines()]


def test_page_installs_the_package_of_this_repository(tmp_path):
    (command,) = [command for command in commands() if command.startswith("pip install")]
    assert re.fullmatch(
        rf'pip install "event-harness\[local,terraform\] @ git\+{REPOSITORY}@v0\.1\.0"', command
    )
    here = ["--no-deps", "--no-build-isolation", "--target", tmp_path / "installed", ROOT]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *here], check=True)
    (entry_points,) = (tmp_path / "installed").glob("event_harness-0.1.0.dist-info/entry_points.txt")
    assert {"event-harness = event_harness.cli:main", "event_harness = event_harness.plugin"} <= set(
        entry_points.read_text().splitlines()
    )


@pytest.mark.parametrize("how", ["absolute", "relative"])
def test_module_can_come_from_a_local_checkout(project, tmp_path, how):
    source = f"{ROOT}//" if how == "absolute" else f"{os.path.relpath(ROOT, tmp_path)}/"
    for file in project.glob("*.tf"):
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(
            re.sub(r'"git::.*?//(modules/\w+)\?ref=.*?"', rf'"{source}\1"', text)
        )
    (tmp_path / "confirm").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "event_harness.cli", "validate", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Success! The configuration is valid." in done.stdout, done.stderr


def test_every_command_of_the_page_works_in_order_and_nothing_is_left(project):
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "EVENT_HARNESS_"))}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    passed = []
    for command in commands():
        if command.startswith("pip install"):
            continue  # the package is already installed
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=project,
            env=environ,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        passed += re.findall(r"(\d) passed", done.stdout)
    assert passed == ["5", "1", "5"]
    assert not list((project / ".event-harness").glob("deployments/*"))
