"""The view of one deployment, once it is made: what is copied, what is shared, what still waits."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from event_harness.errors import ConfigurationError
from event_harness.machine import interrupts
from event_harness.terraform import copying, writing
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.copying import File
from event_harness.terraform.left_out import LeftOut

_LOOK = 0.02  # seconds between two looks whether all is copied


@dataclass
class View:
    """The view of one deployment.

    Attributes:
        root: the Terraform root in the view.
        source: the Terraform root in the project, links resolved.
        left_out: what it leaves out.
        files: what was copied.
        shared: the directories whose files are the project's own, each with its place in the view.
        replace: replaces the link to a directory by a copy; or, if told so, shares the directory's files.
        copy: copies a large directory.
        linked: the directories that are links.
        waiting: the large directories that are still to be copied.
        stopped: once it is set, no more is copied.
    """

    root: Path
    source: Path
    left_out: LeftOut
    files: list[File] = field(default_factory=list)
    shared: dict[Path, Path] = field(default_factory=dict)
    replace: Callable[[Path, bool], None] = lambda _directory, _shared: None
    copy: Callable[[Path], None] = lambda _directory: None
    linked: list[Path] = field(default_factory=list)
    waiting: list[Path] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def complete(self) -> None:
        """Copy the large directories that wait for it.

        Raises:
            ConfigurationError: a file can't be copied.
        """
        with said():
            while self.waiting and not self.stopped.is_set():
                self.copy(self.waiting.pop())

    @contextlib.contextmanager
    def completing(self) -> Iterator[None]:
        """Copy the large directories while the body runs; wait for the rest after it.

        A signal ends the wait, and an error of the body ends the copying.

        Raises:
            ConfigurationError: a file can't be copied.
        """
        with ThreadPoolExecutor(1) as thread:
            copied = thread.submit(self.complete)
            try:
                yield
                while not copied.done():
                    interrupts.pause(_LOOK)
            except BaseException:
                self.stopped.set()
                raise
            copied.result()

    def protect(self, modules: Iterable[Configuration]) -> None:
        """Copy what is linked or shared and may be written by modules that init has fetched."""
        writes = writing.of(modules, self.source)
        for directory in [one for one in self.linked if not writes.spare(one)]:
            self.replace(directory, not writes.anywhere)
            self.linked.remove(directory)
        if writes.anywhere or writes.places:
            self.own(writes.reach)

    def own(self, reached: Callable[[str], bool]) -> None:
        """Replace shared files by copies."""
        for source, place, _ in self.shared_files():
            if reached(source):
                os.unlink(place)
                with copying.unless_removed(source):
                    self.files.append(copying.copy(source, place))

    def shared_files(self) -> Iterator[tuple[str, str, os.stat_result]]:
        """The shared files, as they are in the project and in the view."""
        for source, place in self.shared.items():
            for directory, _, names in os.walk(place):
                above = f"{source}{directory[len(str(place)) :]}"
                for name in names:
                    there, here = os.path.join(above, name), os.path.join(directory, name)
                    with contextlib.suppress(OSError):
                        about = os.lstat(here)
                        if about.st_nlink > 1 and os.path.samestat(about, os.lstat(there)):
                            yield there, here, about


@contextlib.contextmanager
def said() -> Iterator[None]:
    """Say in one line which file can't be copied."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} can't be copied for the deployment: {error.strerror}"
        ) from error
