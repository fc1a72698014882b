"""Command lines that are printed for the user to paste."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from event_harness.settings import STATE_DIR

PROGRAM = "event-harness"


def nearest_project(here: Path) -> Path:
    """The nearest directory that holds `.event-harness`, from `here` upwards; `here` if there is none."""
    return next((one for one in (here, *here.parents) if (one / STATE_DIR).is_dir()), here)


def spelled(*arguments: str, project: Path | None = None, state_dir: Path | None = None) -> str:
    """A command line of `event-harness` that works in the current directory.

    Args:
        arguments: the command and its arguments.
        project: the directory that holds `.event-harness`. It is named if the command would not find it.
        state_dir: the directory of the records, if it has another name.
    """
    if project is None:
        where = [] if state_dir is None else ["--state-dir", str(state_dir.absolute())]
        return shlex.join([*_program(), *where, *arguments])
    project = project.absolute()
    try:
        found = nearest_project(Path.cwd())
    except OSError:  # the current directory was deleted
        found = None
    where = [] if project == found else ["--project", str(project)]
    return shlex.join([*_program(), *where, *arguments])


def about_records(state_dir: Path, *arguments: str) -> str:
    """A command line about the records in a directory; see `spelled`.

    Args:
        state_dir: the directory of the records, `.event-harness` of a project or another one.
        arguments: the command and its arguments.
    """
    state_dir = state_dir.absolute()
    if state_dir.name == STATE_DIR:
        return spelled(*arguments, project=state_dir.parent)
    return spelled(*arguments, state_dir=state_dir)


def _program() -> list[str]:
    if shutil.which(PROGRAM):
        return [PROGRAM]
    beside = Path(sys.executable).with_name(PROGRAM)
    if not beside.exists():
        return [sys.executable, "-m", "event_harness.cli"]
    relative = os.path.relpath(beside)
    return [str(beside) if relative.startswith(os.pardir) else relative]
