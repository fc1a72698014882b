"""Directories of runs whose record is missing or can't be read.

A run that was killed before its first record had created nothing. Any other is somebody's who must be told:
nothing else knows what it has created.
"""

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from event_harness import folders, keeper, processes, state_file
from event_harness.runs import PROCESS_MARK, Run, is_run_id, runs_dir

_YOUNG = 60.0  # seconds; between a directory and its record, or the other way round, lie milliseconds


@dataclass(frozen=True)
class Unrecorded:
    """One such directory.

    Attributes:
        directory: the run's directory; its name is the run's id.
        why: what is wrong with its record.
    """

    directory: Path
    why: str

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.directory.name

    def use(self) -> str:
        """What may depend on it; empty if nothing does."""
        if state_file.may_hold_resources(self.directory):
            return "its state names resources"
        if working := self.processes():
            return f"process {working[0].pid} works on it"
        return ""

    def processes(self) -> list[psutil.Process]:
        """Every living process of the run that can be told by its mark, and those of an AWS of its own."""
        marked = processes.carrying(PROCESS_MARK, self.run_id)
        return marked + keeper.processes_of(self.directory.absolute() / "aws")

    def is_old(self) -> bool:
        """Whether it can't be one that was begun, or emptied by its own session, just now."""
        try:
            return time.time() - self.directory.stat().st_mtime > _YOUNG
        except FileNotFoundError:
            return False

    def delete(self) -> None:
        """Delete it with all that is in it, unless another process holds it."""
        with contextlib.suppress(OSError), folders.held(self.directory):
            shutil.rmtree(self.directory, ignore_errors=True)
        folders.delete_if_empty(self.directory.parent)


def find(state_dir: Path) -> Iterator[Unrecorded]:
    """Every directory among the runs that is named as a run and whose record can't be read."""
    for directory in sorted(runs_dir(state_dir).glob("*/")):
        if not is_run_id(directory.name):
            continue  # somebody else's
        try:
            Run.load(directory)
        except FileNotFoundError:
            yield Unrecorded(directory, "there is none")
        except (OSError, ValueError) as error:
            yield Unrecorded(directory, " ".join(str(error).split()))
