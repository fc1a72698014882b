"""What a deployment was made from: the files that Terraform has read, to see later which have changed.

A copy's time of access tells whether it was read. Where the file system doesn't keep that time, every file
counts as read.
"""

import hashlib
import json
import os
import stat
from pathlib import Path

from event_harness.terraform.copying import NEVER_READ, File
from event_harness.terraform.deployment_view import View

_LOOK = "time and size "


def record(view: View, file: Path) -> None:
    """Write down the digests of the files that were read from a view, once all is applied."""
    root = view.source
    untouched = [one for one in view.files if _is_untouched(one)]
    read = [one for one in untouched if os.stat(one.place).st_atime_ns != NEVER_READ]
    if not any(os.path.dirname(one.source) == str(root) for one in read):
        read = untouched
    kinds = {_kind(one.source) for one in read}
    digests: dict[str, str | None] = {
        os.path.relpath(one.source, root): None for one in view.files if _kind(one.source) in kinds
    }
    digests |= {os.path.relpath(one.source, root): _digest(one.place) for one in read}
    # A shared file has no time of access of its own, and there may be many: its time and size must do.
    digests |= {os.path.relpath(source, root): _look(about) for source, _, about in view.shared_files()}
    file.write_text(json.dumps(digests), encoding="utf-8")


def changed(root: Path, file: Path) -> list[str]:
    """The files that have changed since apply, and new ones of the same kind beside them.

    Args:
        root: the Terraform root; the names are relative to it.
        file: what `record` has written.

    Raises:
        OSError: nothing is on record.
        ValueError: the record can't be read.
    """
    recorded: dict[str, str | None] = json.loads(file.read_text(encoding="utf-8"))
    root = root.resolve()
    found = [name for name, digest in recorded.items() if digest and _differs(root / name, digest)]
    kinds = {_kind(os.path.normpath(root / name)) for name, digest in recorded.items() if digest}
    for directory in {directory for directory, _ in kinds if os.path.isdir(directory)}:
        for entry in os.scandir(directory):
            name = os.path.relpath(entry.path, root)
            if _kind(entry.path) in kinds and name not in recorded and entry.is_file():
                found.append(name)
    return sorted(found)


def _is_untouched(one: File) -> bool:
    """Whether it is a source still, and not overwritten by a build."""
    try:
        about = os.lstat(one.place)
        return not stat.S_ISLNK(about.st_mode) and about.st_mtime_ns == one.changed_at
    except OSError:
        return False


def _kind(path: str) -> tuple[str, str]:
    return os.path.dirname(path), os.path.splitext(path)[1]


def _differs(path: Path, digest: str) -> bool:
    try:
        return (_look(path.stat()) if digest.startswith(_LOOK) else _digest(path)) != digest
    except OSError:
        return True


def _look(about: os.stat_result) -> str:
    return f"{_LOOK}{about.st_mtime_ns}:{about.st_size}"


def _digest(path: str | Path) -> str:
    with open(path, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
