"""Makes a deployment's own view of a configuration: all that plain Terraform would see there.

The view is a copy of the project, so nothing that a deployment writes reaches the checkout, and two
deployments never meet. A large directory is shared where nothing can write to it. Around the copy, links lead
to everything else that a relative path can name. See docs/decisions/0001.
"""

import contextlib
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from event_harness.terraform import copying, writing
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.deployment_view import View, said
from event_harness.terraform.generated import GENERATED
from event_harness.terraform.left_out import LeftOut
from event_harness.terraform.spares import Spares

# As much is copied of the directories beside the configuration; beyond that they are shared.
_FILES, _BYTES = 500, 32 << 20
# How many levels above the project a relative path may reach, and how many entries of each are linked.
_LEVELS, _ENTRIES = 3, 1_000


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
        spares: Spares | None,
    ) -> None:
        self.root, self.into = root.resolve(), into.resolve()
        self.tree = Configuration.read(self.root, tofu=tofu).tree()
        modules = {configuration.directory for configuration in self.tree}
        self.writes = writing.of(self.tree, self.root)
        self.top = _top(self.root, project)
        copied = {self.top, *modules}
        self.whole = {one for one in copied if not copied.intersection(one.parents)}
        highest = [(directory, *directory.parents)[: _LEVELS + 1][-1] for directory in self.whole]
        self.base = Path(os.path.commonpath(highest))
        self.way = {above for directory in self.whole for above in directory.parents} | self.written_around()
        self.made = {str(path) for path in self.whole | self.way}
        self.never = {str(path.resolve()) for path in never} | {str(self.into)}
        self.left_out = LeftOut(
            str(self.top),
            str(self.root),
            tuple(sorted(map(str, modules))),
            tuple(sorted(self.never)),
            tuple(exclude),
            tuple(include),
        )
        self.files, self.bytes = _FILES, _BYTES
        self.links: list[Path] = []
        self.view = View(
            self.place(self.root),
            self.root,
            self.left_out,
            replace=self.replace,
            copy=self.copy_waiting,
        )
        self.spares = spares

    def place(self, path: Path) -> Path:
        """The place of a path of the project in the view."""
        return self.into / path.relative_to(self.base)

    def written_around(self) -> set[Path]:
        """The directories around what is copied in which the configuration writes, with those above."""
        found = {above for one in self.writes.directories for above in (one, *one.parents) if above.is_dir()}
        return {one for one in found if not self.whole.intersection((one, *one.parents))}

    def start(self) -> None:
        """Make the view."""
        if self.base in self.whole:  # it has no directory above
            self.into.parent.mkdir(parents=True, exist_ok=True)
            self.copy(self.base)
        else:
            self.lead(self.base)
        # What is written to a link is written to the file that it leads to.
        reached = {os.path.realpath(link) for link in self.links if self.writes.reach(str(link))}
        if reached and self.view.shared:
            self.view.own(reached.__contains__)

    def lead(self, directory: Path) -> None:
        """Make a directory on the way to what is copied; all else in it becomes a link."""
        place = self.place(directory)
        place.mkdir(parents=True, exist_ok=True)
        written = directory in self.writes.directories
        for path in self.whole:
            if path.parent == directory:
                self.copy(path)
        for path in self.way:
            if path.parent == directory and path != directory:
                self.lead(path)
        with contextlib.suppress(PermissionError), os.scandir(directory) as entries:
            for entry in itertools.islice(entries, _ENTRIES):
                if entry.path in self.made or entry.path in self.never or entry.name in GENERATED:
                    continue
                if written and self.writes.reach(entry.path) and entry.is_file():
                    copying.copy(entry.path, f"{place}/{entry.name}")
                else:
                    os.symlink(entry.path, f"{place}/{entry.name}")

    def copy(self, directory: Path) -> None:
        """Copy a directory above the configuration, or of it, with all that isn't left out."""
        place = self.place(directory)
        place.mkdir(mode=0o700 | stat.S_IMODE(directory.stat().st_mode))
        for entry in self.entries(directory):
            path, target = Path(entry.path), place / entry.name
            if not entry.is_dir(follow_symlinks=False):
                self.copy_entry(entry, str(target), shared=False)
            elif entry.path in self.left_out.needed:
                self.copy(path)
            elif self.fits(path):
                self.copy_whole(path, shared=False)
            elif self.writes.spare(path):
                os.symlink(path, target)
                self.view.linked.append(path)
            elif self.writes.anywhere:
                self.view.waiting.append(path)
            else:
                self.copy_whole(path, shared=True)

    def copy_waiting(self, directory: Path) -> None:
        """Copy a large directory, or renew the copy that an earlier deployment has left."""
        place, spares = self.place(directory), self.spares
        kept = spares.renew(directory, place, entries=self.entries, copy=self.copy_own) if spares else None
        if kept is None:
            self.copy_whole(directory, shared=False)
        else:
            self.view.files += kept
        if spares and not self.view.stopped.is_set():
            spares.record(directory, place, self.view.files)

    def copy_own(self, entry: "os.DirEntry[str]", target: str) -> None:
        """Copy what is no directory."""
        self.copy_entry(entry, target, shared=False)

    def copy_whole(self, directory: Path, *, shared: bool) -> None:
        """Copy a directory beside the configuration; or share its files, but for those that may be written.

        It may be large, so paths are texts here: they are made in half the time.
        """
        if shared:
            self.view.shared[directory] = self.place(directory)
        waiting = [(str(directory), str(self.place(directory)))]
        while waiting:
            above, place = waiting.pop()
            with copying.unless_removed(above):
                os.mkdir(place, 0o700 | stat.S_IMODE(os.stat(above).st_mode))
                for entry in self.entries(above):
                    target = f"{place}/{entry.name}"
                    if self.view.stopped.is_set():
                        return
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, target))
                    else:
                        self.copy_entry(entry, target, shared=shared)

    def copy_entry(self, entry: "os.DirEntry[str]", target: str, *, shared: bool) -> None:
        """Copy what is no directory, if it is no socket and no pipe either."""
        with copying.unless_removed(entry.path):
            if entry.is_symlink():
                self.copy_link(Path(entry.path), target)
            elif entry.is_file() and not (
                shared and not self.writes.reach(entry.path) and copying.share(entry.path, target)
            ):
                self.view.files.append(copying.copy(entry.path, target))

    def replace(self, directory: Path, shared: bool) -> None:
        """Replace the link to a directory by a copy, or by a directory whose files are shared."""
        self.place(directory).unlink()
        self.copy_whole(directory, shared=shared)

    def entries(self, directory: str | Path) -> Iterator["os.DirEntry[str]"]:
        """The entries of a directory that aren't left out."""
        try:
            with os.scandir(directory) as entries:
                yield from (entry for entry in entries if not self.is_left_out(entry))
        except (PermissionError, FileNotFoundError, NotADirectoryError):
            return

    def is_left_out(self, entry: "os.DirEntry[str]") -> bool:
        """Whether an entry is neither copied nor linked."""
        return self.left_out.leaves(entry.name, entry.path, entry.is_dir(follow_symlinks=False))

    def fits(self, directory: Path) -> bool:
        """Whether a directory beside the configuration is copied: it is included, or small enough."""
        if self.left_out.is_included(str(directory)):
            return True
        files, size = self.files, self.bytes
        for entry in self.below(directory):
            with copying.unless_removed(entry.path):
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

    def copy_link(self, path: Path, place: str) -> None:
        """Copy a link: it leads to the same file in the view if that is there, else to where it led."""
        leads = os.readlink(path)
        target = Path(os.path.normpath(path.parent / leads))
        inside = self.left_out.lies_inside(target)
        self.links.append(path)
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
    complete: bool = True,
    spares: Spares | None = None,
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
        complete: whether all is copied now; else the large directories wait for `View.completing`.
        spares: the copies of large directories that earlier deployments have left.

    Raises:
        ConfigurationError: the root holds no configuration, or a file can't be copied.
    """
    with said():
        maker = _Maker(root, into, project, never, exclude, include, tofu, spares)
        maker.start()
    if complete:
        maker.view.complete()
    return maker.view


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
