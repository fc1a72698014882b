"""A file of JSON lines: several processes append to it, and others read it while it grows."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MOST = 32 * 1024 * 1024
"""Bytes of a file. Past them nothing is appended, so a file can't fill a disk."""


class JsonLines:
    """Appends lines to a file, each with one system call: lines of several processes never mix.

    It writes what helps a reader and what no test needs. So no error of the disk leaves it: it stops to
    write then. It never creates the file's directory, so it brings back nothing that was deleted.

    Args:
        path: The file. It is created at the first line; only its owner may read it.
        most: Bytes of the file past which nothing is appended.
    """

    def __init__(self, path: Path, most: int = MOST) -> None:
        self.path = path
        self._most = most
        self._descriptor: int | None = None
        self._stopped = False

    def append(self, fields: Mapping[str, Any]) -> None:
        """Append one line."""
        if self._stopped:
            return
        text = json.dumps(fields, separators=(",", ":"), ensure_ascii=True, default=str)
        try:
            if self._descriptor is None:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                self._descriptor = os.open(self.path, flags, 0o600)
            if os.fstat(self._descriptor).st_size + len(text) < self._most:
                os.write(self._descriptor, f"{text}\n".encode())
                return
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        """Stop to write."""
        self._stopped = True
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


class Tail:
    """Reads the lines that were appended to a file since the last reading.

    Args:
        path: The file. It need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._file: tuple[int, int] | None = None

    def text(self) -> str:
        """The whole lines that are new; a line that isn't finished comes with a later reading."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if self._file != (status.st_dev, status.st_ino) or status.st_size < self._offset:
                    self._file, self._offset = (status.st_dev, status.st_ino), 0  # it was replaced
                file.seek(self._offset)
                new = file.read()
        except OSError:
            return ""
        whole = new[: new.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole.decode(errors="replace")

    def objects(self) -> list[dict[str, Any]]:
        """The new lines that hold a JSON object. Others are skipped: anybody may have written the file."""
        return [value for line in self.text().splitlines() if (value := _decoded(line)) is not None]


def _decoded(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
