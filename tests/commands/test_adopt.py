"""docs/adopt.md works word for word, from an empty directory on; so do the pages about kept deployments.

Git fetches the placeholder's address, which the pages name, from this checkout.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import hcl_of_pages
import pytest
from documented import commands_of, in_shell, until_shown

pytestmark = pytest.mark.timeout(1800)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adopt.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```\w+ title=(\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
REPOSITORY = "https://github.com/your-org/event-harness.git"
RELEASED = ("modules", "functions", "event_harness", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module", autouse=True)
def repository(tmp_path_factory):
    """A git repository with this checkout's files and the tag that the page names."""
    directory = tmp_path_factory.mktemp("origin") / "event-harness.git"
    for name in RELEASED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, directory)
    git = ["git", "-C", directory, "-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "release"], ["tag", "v0.1.0"]):
        subprocess.run([*git, *command], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_COUNT", "1")
        patch.setenv("GIT_CONFIG_KEY_0", f"url.file://{directory}.insteadOf")
        patch.setenv("GIT_CONFIG_VALUE_0", REPOSITORY)
        yield directory


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The files of the page."""
    directory = tmp_path_factory.mktemp("adopt")
    for title, text in FILES:
        path = directory / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


def test_page_installs_the_package_of_this_repository(tmp_path):
    """What it needs is here already; test_distribution.py installs that, too."""
    (command,) = [one for one in commands_of("docs/adopt.md") if one.startswith("pip install")]
    installed = tmp_path / "installed"
    # The last one switches the isolation off: pip takes the value for the setting's own.
    in_shell(command, tmp_path, PIP_TARGET=str(installed), PIP_NO_DEPS="1", PIP_NO_BUILD_ISOLATION="0")
    (information,) = installed.glob("event_harness-0.1.0.dist-info")
    assert {"event-harness = event_harness.cli:main", "event_harness = event_harness.plugin"} <= set(
        (information / "entry_points.txt").read_text().splitlines()
    )
    extras = set(re.findall(r"^Provides-Extra: (.*)$", (information / "METADATA").read_text(), re.MULTILINE))
    assert {"local", "terraform"} <= extras


@pytest.mark.parametrize("how", ["absolute", "relative"])
def test_module_can_come_from_a_local_checkout(project, tmp_path, how):
    """Every block of HCL of the other pages is validated with one of the two."""
    source = f"{ROOT}//" if how == "absolute" else f"{os.path.relpath(ROOT, tmp_path)}/"
    for file in project.glob("*.tf"):
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(
            re.sub(r'"git::.*?//(modules/\w+)\?ref=.*?"', rf'"{source}\1"', text)
        )
    (tmp_path / "confirm").mkdir()
    if how == "absolute":
        named = sum(page.read_text(encoding="utf-8").count("```hcl\n") for page in hcl_of_pages.pages())
        assert len(hcl_of_pages.write_modules(tmp_path)) == named >= 8
    done = subprocess.run(
        [sys.executable, "-m", "event_harness.cli", "validate", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Success! The configuration is valid." in done.stdout, done.stderr


def test_tests_of_the_page_pass_and_nothing_is_left(project):
    install, *others = commands_of("docs/adopt.md")
    assert install.startswith("pip install")
    assert others[0] == "pytest"
    assert "5 passed" in in_shell("pytest", project)
    assert not list((project / ".event-harness").glob("deployments/*"))


def test_commands_for_a_kept_deployment_work_in_the_order_of_their_pages(project):
    """The deployment that docs/keep-and-sync.md keeps serves the other pages before it is destroyed."""
    keep, again, *between, apply, list_, sweep = commands_of("docs/keep-and-sync.md")
    assert "5 passed" in in_shell(keep, project)
    assert "1 passed" in in_shell(again, project)
    for command in between:
        in_shell(command, project)
    handler = project / "confirm" / "app.py"
    handler.write_text(handler.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    assert "synced" in in_shell("event-harness sync", project)
    one = {"PYTEST_ADDOPTS": "-k total"}
    assert "1 passed" in in_shell(apply, project, **one)
    (kept,) = json.loads(in_shell("event-harness status --json", project))

    debugging_a_timeout(project, done=(keep, again, *between))
    for command in commands_of("docs/report.md"):
        in_shell(command, project, EVENT_HARNESS_REUSE="last", **one)
    assert (project / "reports" / "session" / "index.html").exists()
    redriving(project, kept["what"])

    assert kept["what"] in in_shell(list_, project)
    in_shell(sweep, project)
    assert not list((project / ".event-harness").glob("deployments/*"))


def debugging_a_timeout(project, done):
    """Run what docs/timeouts.md names beside the commands that are done."""
    (event, *_) = map(json.loads, in_shell("event-harness watch --once --json", project).splitlines())
    case = event["id"].partition("/")[2]
    shown = {"event-harness watch": "arrived", "event-harness logs --follow": "RequestId"}
    for command in commands_of("docs/timeouts.md"):
        if command in shown:
            until_shown(command, shown[command], project)
        elif command not in done and not command.startswith("pytest --harness-report"):
            in_shell(command.replace("01M86P", case), project)


def redriving(project, deployment_id):
    """Run the commands of docs/failures.md for a kept deployment: it has an order that can't be confirmed."""
    for command in commands_of("docs/failures.md"):
        if "--target" not in command:  # that one: failing/test_redrive.py
            own = command.replace("DEPLOYMENT_ID", deployment_id).replace("text_processor", "inbox")
            in_shell(own, project)
