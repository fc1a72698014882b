"""A deployment's own view of a configuration: all that plain Terraform would see there.

The view is a copy of the project, so nothing that a deployment writes reaches the checkout, and two
deployments never meet. Around the copy, links lead to everything else that a relative path can name. See
docs/decisions/0001.
"""

import contextlib
import fnmatch
import itertools
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from event_harness.errors import ConfigurationError
from event_harness.terraform.configuration import GENERATED, Configuration

# Left out wherever they are, and besides each directory that holds a `pyvenv.cfg`.
LEFT_OUT = (
    *(".git", ".hg", ".svn", ".jj"),
    *(".terraform", ".terragrunt-cache", ".event-harness"),
    *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox", ".venv*"),
)
# Left out beside the root: a deployment has a state of its own.
_STATES = re.compile(r"(terraform\.tfstate(\..*)?|errored\.tfstate|\.terraform\.tfstate\.lock\.info)$")
# As much is copied of directories that the configuration doesn't name; beyond that they are linked.
_FILES, _BYTES = 500, 32 << 20
# How many levels above the project a relative path may reach, and how many entries of each are linked.
_LEVELS, _ENTRIES = 3, 1_000
_PIECE = 1 << 20  # bytes that are copied at a time, where the kernel can't copy
NEVER_READ = 0  # a copy's time of access; the first that reads it sets another
# Providers whose resources write no files but those that an argument names.
_WRITE_NOTHING_UNNAMED = ("aws", "awscc", "archive", "null", "random", "terraform", "time", "tls")
_TELLS_LINKS = "exclude_symlink_directories"
_TEXTS = re.compile(r"\.(tf|tofu|tfvars)(\.json)?$")


@dataclass(frozen=True)
class File:
    """A file that was copied.

    Attributes:
        source: the file in the project.
        place: the copy.
        changed_at: when the source was changed last, in nanoseconds.
    """

    source: Path
    place: Path
    changed_at: int


@dataclass
class View:
    """The view of one deployment.

    Attributes:
        root: the Terraform root in the view.
        source: the Terraform root in the project, links resolved.
        files: what was copied.
    """

    root: Path
    source: Path
    files: list[File] = field(default_factory=list)
    _linked: list[Path] = field(default_factory=list)
    _copy: Callable[[Path], None] = lambda _directory: None
    _place: Callable[[Path], Path] = lambda directory: directory

    def copy_linked(self) -> None:
        """Replace the links to large directories by copies, since a program may write there."""
        for directory in self._linked:
            self._place(directory).unlink()
            self._copy(directory)
        self._linked.clear()


class _Maker:
    """Makes one view; see `make`."""

    def __init__(
        self,
        root: Path,
        into: Path,
        project: Path | None,
        never: Iterable[Path],
        exclude: Iterable[str],
        include: Iterable[str],
        tofu: bool,
    ) -> None:
        self.root, self.into = root.resolve(), into.resolve()
        self.tree = Configuration.read(self.root, tofu=tofu).tree()
        modules = {configuration.directory for configuration in self.tree}
        self.top = _top(self.root, project)
        copied = {self.top, *modules}
        self.whole = {one for one in copied if not copied.intersection(one.parents)}
        highest = [(directory, *directory.parents)[: _LEVELS + 1][-1] for directory in self.whole]
        self.base = Path(os.path.commonpath(highest))
        self.way = {above for directory in self.whole for above in directory.parents}
        self.beside = {above for module in modules for above in (module, *module.parents)}
        self.never = {path.resolve() for path in never} | {self.into}
        self.excluded, self.included = _matcher((*LEFT_OUT, *exclude)), _matcher(include)
        self.names = _Names(self.tree)
        self.everything = any(map(may_write_anywhere, self.tree)) or self.names.hold(_TELLS_LINKS)
        self.files, self.bytes = _FILES, _BYTES
        self.view = View(self.place(self.root), self.root, _copy=self.copy, _place=self.place)

    def place(self, path: Path) -> Path:
        """The place of a path of the project in the view."""
        return self.into / path.relative_to(self.base)

    def start(self) -> None:
        """Make the view."""
        if self.base in self.whole:  # it has no directory above
            self.into.parent.mkdir(parents=True, exist_ok=True)
            self.copy(self.base)
        else:
            self.lead(self.base)

    def lead(self, directory: Path) -> None:
        """Make a directory on the way to what is copied; all else in it becomes a link."""
        self.place(directory).mkdir(parents=True, exist_ok=True)
        for path in self.whole:
            if path.parent == directory:
                self.copy(path)
        for path in self.way:
            if path.parent == directory and path != directory:
                self.lead(path)
        with contextlib.suppress(PermissionError), os.scandir(directory) as entries:
            for entry in itertools.islice(entries, _ENTRIES):
                path = Path(entry.path)
                if path not in self.whole | self.way | self.never and entry.name not in GENERATED:
                    os.symlink(path, self.place(path))

    def copy(self, directory: Path) -> None:
        """Copy a directory with all that isn't left out."""
        place = self.place(directory)
        place.mkdir(mode=0o700 | stat.S_IMODE(directory.stat().st_mode))
        for entry in self.entries(directory):
            path, target = Path(entry.path), place / entry.name
            if entry.is_symlink():
                self.copy_link(path, target)
            elif not entry.is_dir():
                if entry.is_file():  # and no socket, no pipe
                    self.view.files.append(File(path, target, copy_file(path, target)))
            elif directory in self.beside and path not in self.beside and not self.fits(path):
                os.symlink(path, target)
                self.view._linked.append(path)
            else:
                self.copy(path)

    def entries(self, directory: Path) -> Iterator["os.DirEntry[str]"]:
        """The entries of a directory that aren't left out."""
        try:
            with os.scandir(directory) as entries:
                yield from (entry for entry in entries if not self.is_left_out(entry))
        except PermissionError:
            return

    def is_left_out(self, entry: "os.DirEntry[str]") -> bool:
        """Whether an entry is neither copied nor linked."""
        path = Path(entry.path)
        if entry.name in GENERATED or (path in self.never and path not in self.beside):
            return True
        if self.is_included(path) or path in self.beside:
            return False
        if path.parent == self.root and _STATES.match(entry.name):
            return True
        if self.excluded(entry.name) or self.excluded(os.path.relpath(path, self.top)):
            return True
        return entry.is_dir(follow_symlinks=False) and (path / "pyvenv.cfg").is_file()

    def is_included(self, path: Path) -> bool:
        """Whether the user wants a path to be copied."""
        return self.included(path.name) or self.included(os.path.relpath(path, self.top))

    def fits(self, directory: Path) -> bool:
        """Whether a directory beside the configuration is copied: it is named, or small enough."""
        if self.everything or self.names.mention(directory.name) or self.is_included(directory):
            return True
        files, size = self.files, self.bytes
        for entry in self.below(directory):
            files, size = files - 1, size - entry.stat(follow_symlinks=False).st_size
            if files < 0 or size < 0:
                return False
        self.files, self.bytes = files, size
        return True

    def below(self, directory: Path) -> Iterator["os.DirEntry[str]"]:
        """All entries below a directory that aren't left out."""
        for entry in self.entries(directory):
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from self.below(Path(entry.path))

    def copy_link(self, path: Path, place: Path) -> None:
        """Copy a link: it leads to the same file in the view if that is there, else to where it led."""
        leads = os.readlink(path)
        target = Path(os.path.normpath(path.parent / leads))
        inside = target.is_relative_to(self.top) and not any(
            self.excluded(part) for part in target.relative_to(self.top).parts
        )
        os.symlink(os.path.relpath(target, path.parent) if inside else target, place)


def make(
    root: Path,
    into: Path,
    *,
    project: Path | None = None,
    never: Iterable[Path] = (),
    exclude: Iterable[str] = (),
    include: Iterable[str] = (),
    tofu: bool = False,
) -> View:
    """Make the view of a Terraform root.

    Args:
        root: the Terraform root.
        into: an empty or missing directory.
        project: the project's top where no repository tells it; ignored unless the root lies below it.
        never: directories to leave out: where deployments are recorded.
        exclude: patterns of names, or of paths below the project's top, to leave out besides `LEFT_OUT`.
        include: the same for what is copied although it would be left out or linked.
        tofu: whether OpenTofu will run.

    Raises:
        ConfigurationError: the root holds no configuration, or a file can't be copied.
    """
    try:
        maker = _Maker(root, into, project, never, exclude, include, tofu)
        maker.start()
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} can't be copied for the deployment: {error.strerror}"
        ) from error
    return maker.view


def copy_directory(source: Path, target: Path) -> None:
    """Copy a directory that lies outside of the project, without what is left out everywhere."""
    excluded = _matcher(LEFT_OUT)
    shutil.copytree(
        source,
        target,
        symlinks=True,
        copy_function=copy_file,
        ignore=lambda _directory, names: [name for name in names if excluded(name) or name in GENERATED],
    )


def copy_file(source: str | Path, target: str | Path) -> int:
    """Copy content, mode and time of change; blocks are shared where the file system can.

    A file that may not be read becomes a link: only if Terraform reads it, that is an error, and Terraform's.

    Returns:
        When the source was changed last, in nanoseconds.
    """
    about = os.stat(source)
    try:
        reading = os.open(source, os.O_RDONLY)
    except PermissionError:
        os.symlink(source, target)
        return about.st_mtime_ns
    with open(reading, "rb") as content:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IMODE(about.st_mode) & 0o777)
        with open(writing, "wb") as copy:
            if not _copy_range(reading, writing, about.st_size):
                shutil.copyfileobj(content, copy, _PIECE)
    os.utime(target, ns=(NEVER_READ, about.st_mtime_ns))
    return about.st_mtime_ns


def may_write_anywhere(configuration: Configuration) -> bool:
    """Whether a configuration runs programs, or has resources of a kind that may write files anywhere."""
    for kind in ("resource", "data"):
        for (name, _), body in configuration.blocks(kind, 2):
            if "provisioner" in body or name.partition("_")[0] not in _WRITE_NOTHING_UNNAMED:
                return True
    return bool(configuration.broken)


def _copy_range(source: int, target: int, size: int) -> bool:
    """Let the kernel copy; false, with nothing copied, if it can't."""
    if size < _PIECE or not hasattr(os, "copy_file_range"):
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


def _matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Tells whether one of the patterns matches a text."""
    expressions = [fnmatch.translate(pattern.strip("/")) for pattern in patterns]
    expression = re.compile("|".join(expressions))
    return lambda text: bool(expressions and expression.match(text))


def _top(root: Path, project: Path | None) -> Path:
    """The project's top: that of the repository, else what holds the project's directory and the root.

    A directory as high as the home directory is no project: then it is the root itself.
    """
    too_high = {Path.home().resolve(), *Path.home().resolve().parents}
    for directory in (root, *root.parents):
        if directory in too_high and directory != root:
            break
        if any((directory / mark).exists() for mark in (".git", ".hg", ".svn", ".jj")):
            return directory
    top = Path(os.path.commonpath([project.resolve(), root])) if project else root
    return root if top in too_high or top == Path(top.anchor) else top


def left_out_named(text: str) -> list[str]:
    """The names in a text of directories that a view leaves out: ".git" in "./.git/HEAD"."""
    parts = dict.fromkeys(re.split(r"[^\w.+@-]+", text))
    return [part for part in parts if any(fnmatch.fnmatchcase(part, pattern) for pattern in LEFT_OUT)]


class _Names:
    """The texts of a configuration, to see whether they name a directory."""

    def __init__(self, tree: Iterable[Configuration]) -> None:
        files = [file for one in tree for file in one.directory.iterdir() if _TEXTS.search(file.name)]
        self.texts = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]

    def hold(self, text: str) -> bool:
        """Whether a text stands in them."""
        return any(text in one for one in self.texts)

    def mention(self, name: str) -> bool:
        """Whether a name stands in them as a text or as a part of a path."""
        pattern = re.compile(rf"""(?<=["'/}}\s]){re.escape(name)}(?=["'/$\\])""")
        return any(pattern.search(text) for text in self.texts)
