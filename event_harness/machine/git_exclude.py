"""Hides files from git while they are there: by the repository's own `info/exclude`, which nobody commits."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path


def hide(directory: Path, names: Iterable[str]) -> None:
    """Let git ignore files of a directory; nothing happens outside of a repository."""
    _edit(directory, names, keep=True)


def show(directory: Path, names: Iterable[str]) -> None:
    """Take back what `hide` has done."""
    _edit(directory, names, keep=False)


def _edit(directory: Path, names: Iterable[str], *, keep: bool) -> None:
    prefix = _git(directory, "--show-prefix")
    exclude = _git(directory, "--git-path", "info/exclude")
    if prefix is None or exclude is None:
        return
    lines = [f"/{prefix}{name}" for name in names]
    file = directory / exclude
    try:
        before = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        after = [line for line in before if line not in lines] + (lines if keep else [])
        if after != before:
            file.parent.mkdir(exist_ok=True)
            file.write_text("".join(f"{line}\n" for line in after), encoding="utf-8")
    except OSError:
        return  # a repository of somebody else, say; then git shows the files


def _git(directory: Path, *arguments: str) -> str | None:
    """What `git rev-parse` says; None outside of a repository, or without git."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(
        [git, "rev-parse", *arguments], cwd=directory, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None
