"""A private directory for temporary files. Its path is short, since a socket's path has at most 104 bytes."""

import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path

from event_harness.errors import MachineError
from event_harness.machine import processes

_PREFIX = "event-harness-"
_LINK = ".link"  # in a directory elsewhere: the path of the link to it
_LONGEST = 70  # bytes, of the 104 that the shortest system grants; providers put the rest behind it


def make(inside: Path) -> Path:
    """Make the directory if it is missing, and return where it is.

    It is `inside` itself. If that path is too long, `inside` is a link to a directory of a random name among
    the system's temporary files.

    Raises:
        MachineError: it belongs to another user, or other users can open it.
        OSError: it can't be made.
    """
    if not inside.is_symlink() and len(os.fsencode(inside)) > _LONGEST:
        inside.symlink_to(tempfile.mkdtemp(prefix=_PREFIX), target_is_directory=True)
    directory = path(inside)
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise MachineError(
            f"{directory} is not a private directory of this user, so temporary files can't be kept there: "
            f"delete {inside} and try again"
        )
    if inside.is_symlink():
        _write_link(directory, os.fsencode(inside.absolute()))
    return directory


def _write_link(directory: Path, link: bytes) -> None:
    """Write where the link is; the project may have been moved.

    Another process, which looks for lost directories, may read it at this moment. It finds one whole path or
    the other, since the file is replaced.
    """
    file = directory / _LINK
    if not (file.exists() and file.read_bytes() == link):
        partial = directory / f"{_LINK}.{os.getpid()}.{threading.get_ident()}"
        partial.write_bytes(link)
        partial.replace(file)


def path(inside: Path) -> Path:
    """Where the directory is, or will be if it needs no link."""
    return Path(os.readlink(inside)) if inside.is_symlink() else inside


def delete(inside: Path) -> None:
    """Delete the directory and the link to it, unless it belongs to another user."""
    directory = path(inside)
    if directory.is_dir() and directory.stat().st_uid == os.getuid():
        shutil.rmtree(directory, ignore_errors=True)
    if inside.is_symlink():
        inside.unlink(missing_ok=True)


def delete_lost() -> None:
    """Delete each directory elsewhere whose link is gone, if no process uses it.

    The link goes with the records of a deployment, for instance by `git clean`.
    """
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if directory.lstat().st_uid != os.getuid():
                continue
            link = Path(os.fsdecode((directory / _LINK).read_bytes()))
            if path(link) != directory and not processes.carrying("TMPDIR", str(directory)):
                shutil.rmtree(directory, ignore_errors=True)
        except OSError:  # not ours, or gone meanwhile
            continue
