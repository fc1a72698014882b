"""Folders that several processes of one project share: made when needed, deleted once empty, locked."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

_TRIES = 10  # each is lost only if another process deletes the empty parent between two system calls


def make(directory: Path, *, exist_ok: bool = False) -> None:
    """Make a private directory (what is in it may be secret), with its parents.

    Raises:
        OSError: it can't be made.
    """
    for left in reversed(range(_TRIES)):
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=exist_ok)
        except FileNotFoundError:
            if not left:
                raise
        else:
            return


def delete_if_empty(directory: Path) -> None:
    """Delete a directory unless something is in it; another process may do so at the same time."""
    with contextlib.suppress(OSError):
        directory.rmdir()


@contextlib.contextmanager
def held(directory: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a directory, alone or with others who share it.

    The directory itself is locked, so no lock file is left, and the lock ends with its holder.

    Raises:
        FileNotFoundError: it is gone.
        BlockingIOError: another process holds it.
    """
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        if not directory.exists():
            raise FileNotFoundError(directory)
        yield
    finally:
        os.close(handle)
