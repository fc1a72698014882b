"""Remembers that the content of a file was checked, so that a large one isn't read again by each session."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from event_harness.machine import clock
from event_harness.machine.cache import write_atomically

# Seconds since the last change of a file. Two changes at nearly the same time may leave the same time stamp.
_SETTLED = 2.0


def has_digest(file: Path, sha256: str, memory: Path) -> bool:
    """Whether a file has a content. It is read, unless it is still the file that was read before.

    Whatever changes a file or replaces it also changes its ctime or its inode. No program can set a ctime.

    Args:
        file: the file.
        sha256: the digest of the content, in hexadecimal digits.
        memory: a file for what was checked last. It is of use on this machine only.

    Raises:
        OSError: the file can't be read.
    """
    about = file.stat()
    told = f"{sha256} {_same(about)}"
    with suppress(OSError, ValueError):
        if memory.read_text(encoding="utf-8") == told:
            return True
    with file.open("rb") as content:
        right = hashlib.file_digest(content, "sha256").hexdigest() == sha256
    if right and clock.timestamp() - about.st_ctime > _SETTLED and _same(file.stat()) == _same(about):
        with suppress(OSError):
            write_atomically(memory, told)
    return right


def _same(about: os.stat_result) -> str:
    """What stays only as long as nobody has changed or replaced a file."""
    return f"{about.st_dev} {about.st_ino} {about.st_size} {about.st_mtime_ns} {about.st_ctime_ns}"
