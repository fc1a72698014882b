"""The directory in which a test session and the functions' processes leave things for each other.

It is `.event-harness/inspecting/<pid>-<start time>/`. It holds data of coverage, a lock for each debugger,
and what to tell the user. The code of debugged functions is in `.event-harness/debug/<port>/`.
"""

import contextlib
import shutil
from pathlib import Path

from event_harness.aws.instruments import Owner
from event_harness.machine import folders

PARTS = ("attached", "coverage", "waiting")


def of(state_dir: Path, owner: Owner) -> Path:
    """The directory of that session."""
    return state_dir.absolute() / "inspecting" / str(owner)


def code(state_dir: Path, port: int) -> Path:
    """The directory from which the function at that port runs."""
    return state_dir.absolute() / "debug" / str(port)


def make(state_dir: Path, owner: Owner) -> Path:
    """Create the directory of a session; delete those of dead ones.

    Raises:
        SettingError: nothing can be written there.
    """
    folder = of(state_dir, owner)
    for other in folder.parent.glob("*"):
        with contextlib.suppress(ValueError):
            if not Owner.parse(other.name).lives():
                delete(state_dir, Owner.parse(other.name))
    try:
        for part in PARTS:
            folders.make(folder / part, exist_ok=True)
        ignore = state_dir / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise folders.cannot_record(state_dir, error) from error
    return folder


def delete(state_dir: Path, owner: Owner) -> None:
    """Delete the directory of a session, and the code of its debugged functions."""
    folder = of(state_dir, owner)
    for lock in (folder / "attached").glob("*"):
        shutil.rmtree(code(state_dir, int(lock.name)), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    for parent in (folder.parent, state_dir / "debug"):
        folders.delete_if_empty(parent)
