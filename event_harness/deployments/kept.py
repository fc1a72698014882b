"""A kept deployment that is tested again: found, locked, brought up to date, read."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from event_harness.aws.targets import Target
from event_harness.deployments import records, sync
from event_harness.deployments.deployed import system_of
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.recorded_toolchain import recorded_toolchain
from event_harness.deployments.terraform_calls import TerraformCalls
from event_harness.errors import (
    DeploymentError,
    HarnessError,
    MissingPermissionError,
    SettingError,
    StateError,
)
from event_harness.machine import folders, interrupts
from event_harness.system.deployed_system import OUTPUT, DeployedSystem
from event_harness.terraform import state_file
from event_harness.terraform.configuration import Configuration


def find(state_dir: Path, which: str, origin: str, setting: str = "reuse") -> DeploymentRecord:
    """The kept deployment of an id, or the newest one by "last".

    Args:
        state_dir: the directory of the records.
        which: its id, or "last".
        origin: where `which` was set, for the error.
        setting: the name of what was set.

    Raises:
        SettingError: no such deployment was kept.
    """
    kept = [record for record in records.recorded(state_dir) if record.kept]
    found = [record for record in kept if which in ("last", record.deployment_id)]
    if not kept and which == "last" and setting != "reuse":  # nobody has said "last"
        raise SettingError(f"no deployment is kept in {state_dir}: keep one with pytest --harness-keep")
    if not found:
        there = ", ".join(record.deployment_id for record in kept) or "none"
        raise SettingError(
            f"{setting} is {which!r} ({origin}), but no such deployment was kept; "
            f"kept: {there}; keep one with pytest --harness-keep (if {which!r} is a path: write "
            f"./{which}, or give it before --harness-reuse)"
        )
    return found[-1]


class Kept:
    """A kept deployment, locked against a sweep for as long as `stack` is open.

    Args:
        record: its record.
        stack: ends the lock.
        say: prints a line.

    Raises:
        SettingError: it is being swept, or its target doesn't answer.
    """

    def __init__(self, record: DeploymentRecord, stack: ExitStack, say: Callable[[str], None]) -> None:
        self.record = record
        self.say = say
        try:
            self._lock = stack.enter_context(folders.held(record.directory, shared=True))
        except OSError as error:
            raise SettingError(
                f"deployment {record.deployment_id} is being swept or updated, and can't be reused now"
            ) from error
        try:
            self.target: Target = record.find_target()
        except HarnessError as error:
            raise SettingError(
                f"deployment {record.deployment_id} can't be reused: {error}; remove it with: "
                f"{record.command('sweep')}"
            ) from error

    def check_permissions(self) -> None:
        """Tell of the permissions that the system lacked after its last apply: it is still as it was then.

        Raises:
            MissingPermissionError: it lacked some.
        """
        if self.record.lacks:
            lines = "".join(f"\n  {line}" for line in self.record.lacks)
            raise MissingPermissionError(
                f"deployment {self.record.deployment_id} lacks permissions since its last apply, so it would "
                f"fail on AWS:{lines}\n"
                f"  (apply the remedy with {self.record.applying}, or remove the deployment: "
                f"{self.record.command('sweep')}; --harness-iam=off tests it as it is)"
            )

    def synchronise(self) -> sync.Changes:
        """Give its functions the code of the project as it is now, and say what that can't bring there.

        Returns:
            What has changed; its functions are up to date now.

        Raises:
            DeploymentError: other tests use the deployment, or a function can't be updated.
        """
        changes = sync.changes_of(self.record)
        if changes.stale:
            with interrupts.deferred(), self.alone(f"{', '.join(changes.functions)} changed"):
                sync.update(self.record, self.target, changes, self.say)
        for line in self.not_synced(changes):
            self.say(line)
        return changes

    def not_synced(self, changes: sync.Changes) -> list[str]:
        """What only an apply can bring to the deployment, a line each."""
        if not changes.others:
            return []
        refused = [f"the code of {one} is not synced" for one in changes.not_synced]
        return [
            f"deployment {self.record.deployment_id} is tested as it was applied; changed since: "
            f"{sync.shown(changes.others)}; apply that with {self.record.applying}",
            *refused,
        ]

    @contextmanager
    def alone(self, why: str) -> Iterator[None]:
        """Use the deployment alone in this block.

        Args:
            why: what is to be done, for the error.

        Raises:
            DeploymentError: other tests use it.
        """
        try:
            with self._lock.exclusively():
                yield
        except BlockingIOError as error:
            raise DeploymentError(
                f"{why}, but other tests use deployment {self.record.deployment_id} now, with the code as it "
                "was: wait for their end"
            ) from error

    def system(self) -> DeployedSystem:
        """The system, with the outputs of its state.

        Raises:
            StateError: the state can't be read.
        """
        try:
            outputs = state_file.outputs(self.record.state)
        except StateError:
            if not self.record.state.exists():
                raise
            # OpenTofu may have encrypted it.
            calls = TerraformCalls(self.record, self.target, recorded_toolchain(self.record), say=self.say)
            outputs = calls.outputs()
        declared = OUTPUT in outputs or OUTPUT in Configuration.read(self.record.configuration_dir).outputs
        return system_of(self.record, self.target, outputs, declared)
