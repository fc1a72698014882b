"""Command lines that are printed for the user to paste."""

import os
import shlex
import shutil
import sys
from pathlib import Path

PROGRAM = "event-harness"


def spelled(*arguments: str, project: Path) -> str:
    """A command line of `event-harness` that works in the current directory.

    Args:
        arguments: the command and its arguments.
        project: the directory that holds `.event-harness`. It is named if the command would not find it:
            commands look in the current directory and above.
    """
    project = project.absolute()
    try:
        here = Path.cwd()
        found = here == project or project in here.parents
    except OSError:  # the current directory was deleted
        found = False
    where = [] if found else ["--project", str(project)]
    return shlex.join([*_program(), *where, *arguments])


def _program() -> list[str]:
    if shutil.which(PROGRAM):
        return [PROGRAM]
    beside = Path(sys.executable).with_name(PROGRAM)
    if not beside.exists():
        return [sys.executable, "-m", "event_harness.cli"]
    relative = os.path.relpath(beside)
    return [str(beside) if relative.startswith(os.pardir) else relative]
