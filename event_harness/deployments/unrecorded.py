"""Directories of deployments whose record is missing or can't be read.

If a deployment was killed before it wrote its first record, it has created nothing. Any other such deployment
is reported to the user: nothing else knows what it has created.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from event_harness.aws import supervisor as supervisor
from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.ownership import PROCESS_MARK, is_deployment_id
from event_harness.deployments.record import TEMPORARY, DeploymentRecord
from event_harness.deployments.records import directories
from event_harness.machine import clock, folders, processes, temporary
from event_harness.terraform import state_file

_YOUNG = 60.0  # seconds; a living session writes the record milliseconds after it creates the directory


@dataclass(frozen=True)
class Unrecorded:
    """A deployment's directory without a readable record.

    Attributes:
        directory: the deployment's directory; its name is the deployment's id.
        why: why the record can't be read.
    """

    directory: Path
    why: str

    @property
    def deployment_id(self) -> str:
        """The deployment's id."""
        return self.directory.name

    def use(self) -> str:
        """The things that may depend on it; empty if nothing does."""
        try:
            uses = ["its state names resources"] if state_file.may_hold_resources(self.directory) else []
        except OSError as error:
            uses = [f"{error.filename} can't be read ({error.strerror})"]
        if working := self.working():
            uses.append(f"process {working[0].pid} works on it")
        if serving := supervisor.processes_of(self._aws):
            uses.append(f"process {serving[0].pid} is its local AWS emulator")
        return " and ".join(uses)

    @property
    def _aws(self) -> Path:
        return self.directory.absolute() / "aws"

    def working(self) -> list[psutil.Process]:
        """Every living process of the deployment, without those of its own emulator."""
        serving = {process.pid for process in supervisor.processes_of(self._aws)}
        marked = processes.carrying(PROCESS_MARK, self.deployment_id)
        return [process for process in marked if process.pid not in serving]

    def is_old(self) -> bool:
        """Whether it is old enough: a session that starts or ends right now doesn't use it."""
        try:
            return clock.timestamp() - self.directory.stat().st_mtime > _YOUNG
        except FileNotFoundError:
            return False

    def delete(self) -> None:
        """Delete it with its contents and its own emulator, unless another process holds it.

        Raises:
            EmulatorError: a process of that emulator could not be ended.
        """
        with contextlib.suppress(OSError), folders.held(self.directory):
            LocalEmulator.end(self._aws)
            temporary.delete(self.directory / TEMPORARY)
            shutil.rmtree(self.directory, ignore_errors=True)
        folders.delete_if_empty(self.directory.parent)


def find(state_dir: Path) -> Iterator[Unrecorded]:
    """Every directory that is named like a deployment and has no readable record."""
    for directory in directories(state_dir):
        if not is_deployment_id(directory.name):
            continue  # not ours
        try:
            DeploymentRecord.load(directory)
        except FileNotFoundError:
            yield Unrecorded(directory, "it doesn't exist")

        except (OSError, ValueError) as error:
            yield Unrecorded(directory, " ".join(str(error).split()))
