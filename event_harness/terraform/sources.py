"""What a deployment was made from: the files that Terraform has read, to see later which have changed.

A copy's time of access tells whether it was read. Where the file system doesn't keep that time, every file
counts as read.
"""

import hashlib
import json
import os
from pathlib import Path

from event_harness.terraform.view import NEVER_READ, File, View


def record(view: View, file: Path) -> None:
    """Write down the digests of the files that were read from a view, once all is applied."""
    root = view.source
    untouched = [one for one in view.files if _is_untouched(one)]
    read = [one for one in untouched if one.place.stat().st_atime_ns != NEVER_READ]
    if not any(one.source.parent == root for one in read):
        read = untouched
    kinds = {_kind(one.source) for one in read}
    digests: dict[str, str | None] = {
        os.path.relpath(one.source, root): None for one in view.files if _kind(one.source) in kinds
    }
    digests |= {os.path.relpath(one.source, root): _digest(one.place) for one in read}
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
    kinds = {_kind(Path(os.path.normpath(root / name))) for name, digest in recorded.items() if digest}
    for directory in {directory for directory, _ in kinds if directory.is_dir()}:
        for path in directory.iterdir():
            name = os.path.relpath(path, root)
            if _kind(path) in kinds and name not in recorded and path.is_file():
                found.append(name)
    return sorted(found)


def _is_untouched(one: File) -> bool:
    """Whether it is a source still, and not overwritten by a build."""
    try:
        return not one.place.is_symlink() and one.place.stat().st_mtime_ns == one.changed_at
    except OSError:
        return False


def _kind(path: Path) -> tuple[Path, str]:
    return path.parent, path.suffix


def _differs(path: Path, digest: str) -> bool:
    try:
        return _digest(path) != digest
    except OSError:
        return True


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
