"""Tells which file of the project a function's file was made from.

A file counts only if its content is the same: otherwise its line numbers would lie. If several files have
that content, the archive that Terraform's state names decides, then the longest common path.
"""

import fnmatch
import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from event_harness.terraform.copying import LEFT_OUT

_LEFT_OUT = (*LEFT_OUT, "node_modules")


class Project:
    """The Python files of a project.

    Args:
        top: the project's directory.
        archives: SHA-256 of each archive in base64, as Lambda tells it -> the directory it was made from.
    """

    def __init__(self, top: Path, archives: Mapping[str, Path] | None = None) -> None:
        self.top = top
        self.archives = dict(archives or {})
        self._hashes: dict[Path, str] = {}

    def file(self, place: str, sha256: str, archive: str = "") -> Path | None:
        """The file of the project with that content; None if there is none.

        Args:
            place: path in the function's archive.
            sha256: of the file's content, in hexadecimal.
            archive: SHA-256 of the whole archive, in base64.
        """
        named = self._named(place, archive)
        if named and self._hash(named) == sha256:
            return named
        same = [path for path in self._by_name[Path(place).name] if self._hash(path) == sha256]
        if not same:  # the archive gives it another name
            same = [path for paths in self._by_name.values() for path in paths if self._hash(path) == sha256]
        return min(same, key=lambda path: (-_common(path, place), len(path.parts), path), default=None)

    def only(self, place: str) -> Path | None:
        """The file whose path ends like that place in an archive; None if there are several or none."""
        parts = len(Path(place).parts)
        found = [path for path in self._by_name[Path(place).name] if _common(path, place) == parts]
        return found[0] if len(found) == 1 else None

    def changed(self, place: str, sha256: str, archive: str) -> bool:
        """Whether the file was made from one of the project that has another content now."""
        named = self._named(place, archive)
        return named is not None and self._hash(named) not in ("", sha256)

    def directory(self, place: str, sha256: str, archive: str = "") -> Path | None:
        """The directory of the project that a function's archive was made from, by one of its files."""
        found = self.file(place, sha256, archive)
        depth = len(Path(place).parts)
        if found is None or _common(found, place) < depth:
            return None
        return found.parents[depth - 1]

    def _named(self, place: str, archive: str) -> Path | None:
        """Where the archive's source has that file. A module that Terraform has fetched is no source."""
        path = self.archives[archive] / place if archive in self.archives else None
        return None if path is None or any(map(_is_left_out, path.parts)) else path

    @cached_property
    def _by_name(self) -> defaultdict[str, list[Path]]:
        names: defaultdict[str, list[Path]] = defaultdict(list)
        for path in _python_files(self.top):
            names[path.name].append(path)
        return names

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            try:
                self._hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError:
                self._hashes[path] = ""
        return self._hashes[path]


def top_of(directory: Path) -> Path:
    """The repository that a directory is in, or the directory itself."""
    too_high = {Path.home().resolve(), *Path.home().resolve().parents}
    for above in (directory, *directory.parents):
        if above in too_high:
            break
        if (above / ".git").exists():
            return above
    return directory


def _common(path: Path, place: str) -> int:
    """How many parts at the end of both paths are the same."""
    pairs = zip(reversed(path.parts), reversed(Path(place).parts), strict=False)
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


def _is_left_out(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in _LEFT_OUT)


def _python_files(top: Path) -> Iterator[Path]:
    for folder, directories, files in os.walk(top):
        directories[:] = [
            name
            for name in directories
            if not _is_left_out(name) and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        yield from (Path(folder, name) for name in files if name.endswith(".py"))
