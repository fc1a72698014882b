"""Files of a deployment's view: copied, or shared by a hard link where nothing can write to them."""

import fnmatch
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from event_harness.terraform.generated import GENERATED

# Left out wherever they are, and besides each directory that holds a `pyvenv.cfg`.
LEFT_OUT = (
    *(".git", ".hg", ".svn", ".jj"),
    *(".terraform", ".terragrunt-cache", ".event-harness"),
    *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox", ".venv*"),
)
TERRAFORM = ".terraform"
TERRAFORMS_OWN = frozenset(
    ("environment", "lock.json", "modules", "plugin_path", "plugins", "providers", "terraform.tfstate")
)
"""What Terraform itself writes into that directory: it belongs to the checkout, and is never copied."""
Matcher = Callable[[str], bool]
NEVER_READ = 0  # a copy's time of access; the first that reads it sets another
_PIECE = 1 << 20  # bytes that are copied at a time, where the kernel can't copy


@dataclass(frozen=True)
class File:
    """A file of the view.

    Attributes:
        source: the file in the project.
        place: the file in the view.
        changed_at: when the source was changed last, in nanoseconds.
        stamp: of the source when its copy began; another one means that it was touched. Empty for a link.
    """

    source: str
    place: str
    changed_at: int
    stamp: tuple[int, ...] = ()

    @classmethod
    def of(cls, source: str, place: str, about: os.stat_result) -> "File":
        """A file by what the system says of its source."""
        stamp = (about.st_ino, about.st_ctime_ns, about.st_size, about.st_mtime_ns)
        return cls(source, place, about.st_mtime_ns, stamp)


def copy(source: str, place: str) -> File:
    """Copy content, mode and time of change; blocks are shared where the file system can.

    A file that may not be read becomes a link: only if Terraform reads it, that is an error, and Terraform's.
    """
    try:
        reading = os.open(source, os.O_RDONLY)
    except PermissionError:
        os.symlink(source, place)
        return File(source, place, os.stat(source).st_mtime_ns)
    try:
        about = os.fstat(reading)
        writing = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IMODE(about.st_mode) & 0o777)
        try:
            _copy_content(reading, writing, about.st_size)
            os.utime(writing, ns=(NEVER_READ, about.st_mtime_ns))
        finally:
            os.close(writing)
    finally:
        os.close(reading)
    return File.of(source, place, about)


class unless_removed:  # noqa: N801 -- used like a function
    """Let a file or directory be missing that was removed after its directory was listed.

    Editors, builds and other tests work in the project while it is copied. Terraform would not see the file.
    A class: it is entered for each file, and a generator takes twice as long.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _kind: object, error: object, _traceback: object) -> bool:
        """Tell whether the error is that the source isn't there."""
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        return missing and os.fspath(error.filename) == self._source  # type: ignore[attr-defined]


def share(source: str, place: str) -> bool:
    """Let a file be the same in the view, by a hard link; false where the system or the owner forbids it."""
    try:
        os.link(source, place, follow_symlinks=False)
    except OSError:
        return False
    return True


def copy_directory(source: Path, target: Path) -> None:
    """Copy a directory that lies outside of the project, without what is left out everywhere."""
    excluded = matcher(LEFT_OUT)
    shutil.copytree(
        source,
        target,
        symlinks=True,
        copy_function=copy,
        ignore=lambda _directory, names: [name for name in names if excluded(name) or name in GENERATED],
    )


def matcher(patterns: Iterable[str]) -> Matcher:
    """Tells whether one of the patterns matches a text."""
    expressions = [fnmatch.translate(pattern.strip("/")) for pattern in patterns]
    expression = re.compile("|".join(expressions))
    return lambda text: bool(expressions and expression.match(text))


def _copy_content(source: int, target: int, size: int) -> None:
    if size >= _PIECE and _copy_range(source, target, size):
        return
    while piece := os.read(source, _PIECE):
        while piece := piece[os.write(target, piece) :]:
            pass


def _copy_range(source: int, target: int, size: int) -> bool:
    """Let the kernel copy; false, with nothing copied, if it can't."""
    if not hasattr(os, "copy_file_range"):
        return False
    done = 0
    try:
        while done < size and (step := os.copy_file_range(source, target, size - done)):
            done += step
    except OSError:
        if done:
            raise
        return False
    return True
