"""Keeps the copies of large directories for the next deployment of the same project.

ext4 doesn't use the inodes of deleted files again for minutes, and searches past them for each new file. So a
deployment that ends moves such copies to the machine's cache, and the next one takes them from there. A file
of them is used again only if neither it nor the project's own was touched since it was copied: a change of
any kind changes a file's `ctime`, which no program can set.
"""

import contextlib
import hashlib
import json
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from event_harness.machine import clock
from event_harness.terraform.copying import NEVER_READ, File

_FILES, _STAMPS = "files", "stamps.json"
_KEPT = 7 * 86_400  # seconds
Stamps = Mapping[str, list[int]]
Entry = os.DirEntry[str]


class Spares:
    """The spare copies of this machine.

    Args:
        store: the directory that holds them.
        index: a file of the deployment, for what it has copied and may keep.
    """

    def __init__(self, store: Path, index: Path) -> None:
        self._store, self._index = store, index

    def renew(
        self,
        source: Path,
        place: Path,
        *,
        entries: Callable[[str], Iterable[Entry]],
        copy: Callable[[Entry, str], None],
    ) -> list[File] | None:
        """Move the spare copy of a directory to its place, and make it what a new copy would be.

        Args:
            source: the directory of the project.
            place: where the copy belongs; nothing is there.
            entries: the entries of a directory of the project that are copied.
            copy: copies an entry that is no directory.

        Returns:
            The files that were not copied again; None if there is no spare copy, and nothing at its place.
        """
        stamps = self._take(source, place)
        if stamps is None:
            return None
        try:
            return _renewed(str(source), str(place), stamps, entries, copy)
        except OSError:  # a program has left something in it that can't be read, or removed
            shutil.rmtree(place, ignore_errors=True)
            return None

    def record(self, source: Path, place: Path, files: Iterable[File]) -> None:
        """Record a copy, just after it was made.

        Args:
            source: the directory of the project.
            place: its copy.
            files: the copied files, among others.
        """
        start, stamps = f"{place}/", {}
        for file in files:
            if file.stamp and file.place.startswith(start):
                about = os.lstat(file.place)
                stamps[file.place[len(start) :]] = [*file.stamp, about.st_ino, about.st_ctime_ns]
        with contextlib.suppress(OSError):
            known = json.loads(self._index.read_text(encoding="utf-8")) if self._index.exists() else []
            kept = [one for one in known if one["source"] != str(source)]
            one = {"store": str(self._store), "source": str(source), "place": str(place), "stamps": stamps}
            self._index.write_text(json.dumps([*kept, one]), encoding="utf-8")

    def _take(self, source: Path, place: Path) -> Stamps | None:
        """Take a spare copy: of several processes only one gets it."""
        taken = self._store / uuid.uuid4().hex
        try:
            os.rename(_home(self._store, str(source)), taken)
            stamps = json.loads((taken / _STAMPS).read_text(encoding="utf-8"))
            if not isinstance(stamps, dict):
                return None
            os.rename(taken / _FILES, place)
        except (OSError, ValueError):
            return None
        finally:
            shutil.rmtree(taken, ignore_errors=True)
        return stamps


def keep(index: Path) -> None:
    """Move what a deployment has copied to the spare copies, before its directory is deleted.

    Args:
        index: the deployment's file.
    """
    try:
        copies = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for one in copies:
        store = Path(one["store"])
        new = store / uuid.uuid4().hex
        try:
            new.mkdir(mode=0o700, parents=True)
            (new / _STAMPS).write_text(json.dumps(one["stamps"]), encoding="utf-8")
            os.rename(one["place"], new / _FILES)
            os.rename(new, _home(store, one["source"]))
        except OSError:  # another deployment was faster, or the store is on another disk
            shutil.rmtree(new, ignore_errors=True)
        _delete_old(store)


def _home(store: Path, source: str) -> Path:
    return store / hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()


def _delete_old(store: Path) -> None:
    with contextlib.suppress(OSError):
        for home in list(store.iterdir()):
            if clock.timestamp() - home.stat().st_mtime > _KEPT:
                shutil.rmtree(home, ignore_errors=True)


def _renewed(
    source: str,
    place: str,
    stamps: Stamps,
    entries: Callable[[str], Iterable[Entry]],
    copy: Callable[[Entry, str], None],
) -> list[File]:
    found, waiting = [], [(source, place, "")]
    while waiting:
        above, here, relative = waiting.pop()
        mode = 0o700 | stat.S_IMODE(os.stat(above).st_mode)
        if stat.S_IMODE(os.stat(here).st_mode) != mode:
            os.chmod(here, mode)
        with os.scandir(here) as there:
            old = {entry.name: entry for entry in there}
        for entry in entries(above):
            was, target, name = old.pop(entry.name, None), f"{here}/{entry.name}", f"{relative}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if was is None or not was.is_dir(follow_symlinks=False):
                    _remove(was)
                    os.mkdir(target, 0o700)
                waiting.append((entry.path, target, f"{name}/"))
            elif was is not None and _is_untouched(entry, was, stamps.get(name)):
                found.append(File.of(entry.path, target, entry.stat(follow_symlinks=False)))
            else:
                _remove(was)
                copy(entry, target)
        for extra in old.values():
            _remove(extra)
    return found


def _is_untouched(entry: Entry, was: Entry, stamp: list[int] | None) -> bool:
    """Whether a file of the project and its copy are as they were; then it is as if nobody had read it."""
    if stamp is None or not (entry.is_file(follow_symlinks=False) and was.is_file(follow_symlinks=False)):
        return False
    about = was.stat(follow_symlinks=False)
    source = File.of(entry.path, was.path, entry.stat(follow_symlinks=False))
    if [*source.stamp, about.st_ino, about.st_ctime_ns] != stamp:
        return False
    if about.st_atime_ns != NEVER_READ:
        os.utime(was.path, ns=(NEVER_READ, about.st_mtime_ns), follow_symlinks=False)
    return True


def _remove(entry: Entry | None) -> None:
    if entry is None:
        return
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)
