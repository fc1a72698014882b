"""`make dist` builds the package once, and tests it installed in a clean environment."""

import email
import os
import re
import sys
import tarfile
import zipfile
from pathlib import Path

from documented import ROOT, checkout, in_shell, inline_commands

# An extra, and a module that it brings; the pages name a command for each.
EXTRAS = {"debug": "debugpy", "report": "jinja2"}
PAGES = ("docs/debugging.md", "docs/report.md", "docs/reference.md")


def extras_can_be_installed_as_the_pages_say(wheel, python):
    """Run each command in the environment in which `make dist` has tested the wheel, which stands for PyPI.

    That environment has no pip, so ours installs into it. The extras `local` and `terraform` are large: of
    them, it is only asked whether the wheel has them.
    """
    environ = {
        "PATH": os.pathsep.join([str(python), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PIP_FIND_LINKS": str(wheel.parent),
        "PIP_PYTHON": str(python / "python"),
    }
    named = set()
    for command in sorted({one for page in PAGES for one in inline_commands(page, "pip")}):
        (extra,) = re.findall(r"event-harness\[(\w+)\]", command)
        small = EXTRAS.get(extra)
        said = in_shell(command, python, **environ, **({} if small else {"PIP_NO_DEPS": "1"}))
        assert "does not provide the extra" not in said
        if small:
            in_shell(f"python -c 'import {small}'", python, **environ)
        named.add(extra)
    assert named == {"debug", "report", "local", "terraform"}


def links_of_its_page_lead_somewhere(wheel):
    """A package index shows the README, far from the repository's files."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        told = email.message_from_bytes(archive.read(name))
    assert told["Description-Content-Type"] == "text/markdown"
    text = str(told.get_payload())
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", text)
    raw, page = (
        f"https://{host}/your-org/event-harness/" for host in ("raw.githubusercontent.com", "github.com")
    )
    places = [f"{raw}main/" if picture else f"{page}blob/main/" for picture, _ in links]
    assert [link for (_, link), place in zip(links, places, strict=True) if not link.startswith(place)] == []
    paths = [link.removeprefix(place) for (_, link), place in zip(links, places, strict=True)]
    assert "docs/pictures/failure.svg" in paths
    assert "docs/adopt.md#when-a-test-fails" in paths
    assert [path for path in paths if not (ROOT / path.partition("#")[0]).exists()] == []


def test_package_works_where_only_it_is_installed(tmp_path):
    clone = checkout(tmp_path / "clone")
    deployment = clone / ".event-harness" / "deployments" / "d1"
    deployment.mkdir(parents=True)
    (deployment / "up").symlink_to("/")  # it has links to all that lies beside the project
    said = in_shell("make dist", clone)
    wheel, sdist = (next((clone / "dist").glob(f"*.{kind}")) for kind in ("whl", "tar.gz"))
    for package in (wheel, sdist):
        assert f"dist/{package.name} works in a clean environment" in said
    extras_can_be_installed_as_the_pages_say(wheel, clone / ".build" / "installed" / "python" / "bin")
    links_of_its_page_lead_somewhere(wheel)
    names = zipfile.ZipFile(wheel).namelist()
    assert "event_harness/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"event_harness"}
    with tarfile.open(sdist) as archive:
        assert not [name for name in archive.getnames() if "/.venv" in name or "/.event-harness" in name]
