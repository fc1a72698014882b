"""Directories of deployments whose record is missing or can't be read.

A deployment that was killed before its first record had created nothing. Any other is somebody's who must be told:
nothing else knows what it has created.
"""

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from event_harness.aws import supervisor as supervisor
from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.ownership import PROCESS_MARK, is_deployment_id
from event_harness.deployments.record import DeploymentRecord, deployments_dir, temporary_of
from event_harness.machine import folders, processes
from event_harness.terraform import state_file

_YOUNG = 60.0  # seconds; between a directory and its record, or the other way round, lie milliseconds


@dataclass(frozen=True)
class Unrecorded:
    """One such directory.

    Attributes:
        directory: the deployment's directory; its name is the deployment's id.
        why: what is wrong with its record.
    """

    directory: Path
    why: str

    @property
    def deployment_id(self) -> str:
        """The deployment's id."""
        return self.directory.name

    def use(self) -> str:
        """What may depend on it; empty if nothing does."""
        uses = ["its state names resources"] if state_file.may_hold_resources(self.directory) else []
        if working := self.working():
            uses.append(f"process {working[0].pid} works on it")
        if serving := supervisor.processes_of(self._aws):
            uses.append(f"process {serving[0].pid} is its local AWS emulator")
        return " and ".join(uses)

    @property
    def _aws(self) -> Path:
        return self.directory.absolute() / "aws"

    def working(self) -> list[psutil.Process]:
        """Every living process of the deployment, but those of an AWS of its own."""
        serving = {process.pid for process in supervisor.processes_of(self._aws)}
        marked = processes.carrying(PROCESS_MARK, self.deployment_id)
        return [process for process in marked if process.pid not in serving]

    def is_old(self) -> bool:
        """Whether it can't be one that was begun, or emptied by its own session, just now."""
        try:
            return time.time() - self.directory.stat().st_mtime > _YOUNG
        except FileNotFoundError:
            return False

    def delete(self) -> None:
        """Delete it with all that is in it, an AWS of its own too, unless another process holds it.

        Raises:
            EmulatorError: a process of that AWS could not be ended.
        """
        with contextlib.suppress(OSError), folders.held(self.directory):
            LocalEmulator.end(self._aws)
            shutil.rmtree(temporary_of(self.directory), ignore_errors=True)
            shutil.rmtree(self.directory, ignore_errors=True)
        folders.delete_if_empty(self.directory.parent)


def find(state_dir: Path) -> Iterator[Unrecorded]:
    """Every directory among the deployments that is named as a deployment and whose record can't be read."""
    for directory in sorted(deployments_dir(state_dir).glob("*/")):
        if not is_deployment_id(directory.name):
            continue  # somebody else's
        try:
            DeploymentRecord.load(directory)
        except FileNotFoundError:
            yield Unrecorded(directory, "there is none")
        except (OSError, ValueError) as error:
            yield Unrecorded(directory, " ".join(str(error).split()))
