"""Puts the temporary files of the tests in memory, where the machine has enough of it.

ext4 looks at each inode that was deleted of late before it makes a file. For tests that make and delete many
files, this took a fifth of all CPU time. In memory it takes none.
"""

import os
import shutil
from pathlib import Path

import psutil

ROOTS = Path("/dev/shm")
VARIABLE = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest makes its temporary directories."""
_NAME = "eh-tests-"  # short: a path of a socket has 107 characters at most
_NEEDED = 4 * 2**30  # bytes; all tests together have written 300 MB


def begin(roots: Path = ROOTS, needed: int = _NEEDED) -> Path | None:
    """Let pytest use a directory in memory, unless the user has named one.

    It deletes what sessions have left that failed, or were killed.

    Args:
        roots: the directory that is in memory.
        needed: bytes that must be free, both there and on the machine.

    Returns:
        The directory, for `end`; None if pytest uses its own.
    """
    if VARIABLE in os.environ or not _offers(roots, needed):
        return None
    for left in roots.glob(f"{_NAME}*"):
        if not psutil.pid_exists(int(left.name.removeprefix(_NAME))):
            shutil.rmtree(left, ignore_errors=True)
    root = roots / f"{_NAME}{os.getpid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    os.environ[VARIABLE] = str(root)
    return root


def end(root: Path) -> None:
    """Give the memory back."""
    os.environ.pop(VARIABLE, None)
    shutil.rmtree(root, ignore_errors=True)


def _offers(roots: Path, needed: int) -> bool:
    """Whether it is there, is large enough, and lets programs run."""
    try:
        there = os.statvfs(roots)
    except OSError:
        return False
    free = min(there.f_bavail * there.f_frsize, psutil.virtual_memory().available)
    return free >= needed and os.access(roots, os.W_OK) and not there.f_flag & os.ST_NOEXEC
