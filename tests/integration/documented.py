"""The commands of the documentation: tests take them from their page, so that the two can't part."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from projects import TOOLCHAIN

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^( *)```sh\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:pip|pytest|event-harness|make) [^`]+)`")


def commands_of(page: str) -> list[str]:
    """The lines of a page's blocks of shell commands, in order, without comments."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line for _, block in _BLOCK.findall(text) for line in block.splitlines()]
    return [command for line in lines if (command := re.sub(r"(^| +)#.*", "", line).strip())]


def command_of(page: str, part: str) -> str:
    """The one command of a page's blocks that contains a text."""
    (command,) = [one for one in commands_of(page) if part in one]
    return command


def inline_commands(page: str, program: str) -> list[str]:
    """The commands of a program within a page's sentences."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [one for one in _INLINE.findall(text) if one.startswith(f"{program} ")]


def checkout(directory: Path) -> Path:
    """A fresh clone of this repository with the environment of this one, so that `make` installs nothing."""
    git = shutil.which("git") or "git"
    listed = subprocess.check_output(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT
    )
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name)
    (directory / ".venv").symlink_to(sys.prefix)
    return directory


def users_environ(**more: str) -> dict[str, str]:
    """The environment of a user's shell, in which this package is installed."""
    ours = ("PYTEST_", "EVENT_HARNESS_", "AWS_", "GITHUB_STEP_SUMMARY")
    usual = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    kept = {name: text for name, text in os.environ.items() if name in TOOLCHAIN}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return usual | kept | {"PATH": path, "MAKEFLAGS": "READY="} | more  # what `make` needs is installed


def in_shell(command: str, directory: Path, *, seconds: float = 900, **environ: str) -> str:
    """Run a command in a shell, check that it succeeds, and return what it prints.

    Args:
        command: The line of a page.
        directory: Where the user is.
        seconds: How long it may take.
        environ: Further variables.
    """
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=directory,
        env=users_environ(**environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def until_shown(command: str, text: str, directory: Path) -> str:
    """Run a command that goes on until Ctrl-C, press that once a text is shown, and return its output."""
    with subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        cwd=directory,
        env=users_environ(PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        printed = ""
        for line in process.stdout:
            printed += line
            if text in line:
                process.send_signal(signal.SIGINT)
        assert process.wait(300) == 0, f"{command}\n{printed}"
    assert text in printed, f"{command}\n{printed}"
    return printed
