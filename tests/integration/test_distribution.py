"""`make dist` builds the package once, and tests it installed in a clean environment."""

import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

from documented import in_shell, inline_commands

ROOT = Path(__file__).parents[2]


# An extra, and a module that it brings; the pages name a command for each.
EXTRAS = {"debug": "debugpy", "report": "jinja2"}
PAGES = ("docs/debugging.md", "docs/report.md", "docs/reference.md")


def extras_can_be_installed_as_the_pages_say(wheel):
    """Run each command in the environment in which `make dist` has tested the wheel, which stands for PyPI.

    That environment has no pip, so ours installs into it. The extras `local` and `terraform` are large: of
    them, it is only asked whether the wheel has them.
    """
    python = ROOT / ".build" / "installed" / "python" / "bin"
    environ = {
        "PATH": os.pathsep.join([str(python), str(ROOT / ".venv" / "bin"), os.environ["PATH"]]),
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


def test_package_works_where_only_it_is_installed():
    make = shutil.which("make") or "make"
    done = subprocess.run([make, "dist"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wheel, sdist = (next((ROOT / "dist").glob(f"*.{kind}")) for kind in ("whl", "tar.gz"))
    for package in (wheel, sdist):
        assert f"dist/{package.name} works in a clean environment" in done.stdout
    extras_can_be_installed_as_the_pages_say(wheel)
    names = zipfile.ZipFile(wheel).namelist()
    assert "event_harness/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"event_harness"}
    with tarfile.open(sdist) as archive:
        assert not [name for name in archive.getnames() if "/.venv" in name or "/.event-harness" in name]
