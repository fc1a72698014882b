"""The record of each run on disk: what was begun, by whom, and how far it came.

A deployment's directory (`.event-harness/deployments/<deployment_id>/`) holds the copied configuration, its state, TF_DATA_DIR
and the record. It is written before anything is created and deleted after everything is destroyed, so
whatever a dead deployment left can be found from here (`event-harness list`, `event-harness sweep`).
"""

import getpass
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from event_harness.aws.ownership import (
    EXPIRES_FORMAT,
    PROCESS_MARK,
    TAG_DEPLOYMENT,
    TAG_EXPIRES,
    TAG_OWNER,
    is_deployment_id,
    new_deployment_id,
)
from event_harness.aws.targets import Target
from event_harness.errors import CredentialsError
from event_harness.machine import dataclass_file, folders, processes
from event_harness.terraform import state_file

RECORD = "record.json"
_LONGEST_FOR_SOCKETS = 70  # of the 104 that the shortest system grants, less what providers put behind it


def temporary_of(directory: Path) -> Path:
    """Where a deployment that has this directory keeps temporary files: outside of it where its path is long."""
    inside = directory / "tmp"
    if len(os.fsencode(inside)) <= _LONGEST_FOR_SOCKETS:
        return inside
    return Path(tempfile.gettempdir()) / f"event-harness-{directory.name}"


@dataclass
class DeploymentRecord:
    """One run, as recorded.

    Attributes:
        deployment_id: also the name of its Terraform workspace, and part of each resource's name.
        directory: the deployment's directory.
        root: the Terraform root that it is a copy of.
        configuration: the copied root, relative to `directory`; empty before it is copied.
        target: `local` or `aws`.
        endpoint_url: the emulator's URL, or None on real AWS.
        region: the AWS region.
        account: the AWS account; empty on an emulator.
        owner: user@host, as tagged.
        pid: the process that owns the deployment; with `started` it can't be mistaken.
        started: of that process, as `processes.started_at` says.
        created_at: when the deployment began.
        expires_at: from when on a sweep by tag may take its resources.
        stage: how far it came: new, init, apply, applied, destroy, destroyed.
        kept: left on purpose (`--harness-keep`).
        variables: the input variables that it was applied with.
        own_emulator: whether the emulator is this deployment's own (it lies in `aws/`).
        terraform: the binary that it was applied with; empty before.
        providers: where its providers came from, registry or mirror: another release can't read the state.
    """

    deployment_id: str
    directory: Path
    root: str
    target: str
    endpoint_url: str | None
    region: str
    owner: str
    pid: int
    started: float
    created_at: datetime
    expires_at: datetime
    account: str = ""
    configuration: str = ""
    stage: str = "new"
    kept: bool = False
    own_emulator: bool = False
    terraform: str = ""
    providers: str = ""
    variables: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        state_dir: Path,
        *,
        root: Path,
        target: str,
        endpoint_url: str | None = None,
        region: str = "",
        ttl: timedelta = timedelta(hours=4),
    ) -> "DeploymentRecord":
        """Begin a deployment of this process: make its directory and write its record."""
        deployment_id = new_deployment_id()
        now = datetime.now(UTC).replace(microsecond=0)
        own = psutil.Process()
        record = cls(
            deployment_id=deployment_id,
            directory=deployments_dir(state_dir) / deployment_id,
            root=str(root),
            target=target,
            endpoint_url=endpoint_url,
            region=region,
            owner=_owner(),
            pid=own.pid,
            started=processes.started_at(own),
            created_at=now,
            expires_at=now + ttl,
        )
        folders.make(record.directory)  # the state holds secrets
        ignore = state_dir / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        record.save()
        return record

    @classmethod
    def load(cls, directory: Path) -> "DeploymentRecord":
        """Read a deployment's record.

        Raises:
            OSError: there is none.
            ValueError: it isn't one, or that of another deployment.
        """
        fields = dataclass_file.read(directory / RECORD, cls)
        try:
            record = cls(**(fields | {"directory": directory}))
        except TypeError as error:
            raise ValueError(f"it lacks a field: {error}") from error
        if record.deployment_id != directory.name or not is_deployment_id(record.deployment_id):
            raise ValueError(f"it is of the deployment {record.deployment_id!r}")
        if record.pid <= 0:
            raise ValueError(f"its pid is {record.pid}")
        return record

    def save(self) -> None:
        """Write the record: whole or not at all, whenever this process dies."""
        fields = asdict(self)
        del fields["directory"]
        dataclass_file.write(self.directory / RECORD, fields)

    def at(self, stage: str) -> None:
        """Record how far the deployment has come."""
        self.stage = stage
        self.save()

    @property
    def tags(self) -> dict[str, str]:
        """The default tags of all its resources."""
        return {
            TAG_DEPLOYMENT: self.deployment_id,
            TAG_OWNER: self.owner,
            TAG_EXPIRES: self.expires_at.strftime(EXPIRES_FORMAT),
        }

    @property
    def configuration_dir(self) -> Path:
        """The copied Terraform root."""
        return self.directory / self.configuration

    @property
    def logs(self) -> Path:
        """Where terraform's output goes; beside the deployment, so that it outlives a deployment that failed."""
        return self.directory.parent.parent / "logs" / self.deployment_id

    def managed_resources(self) -> list[str]:
        """Addresses of the resources that the state holds; data sources don't count.

        Raises:
            StateError: the state can't be read.
        """
        return [".".join(filter(None, [r.get("module"), r["type"], r["name"]])) for r in self._managed()]

    def disposable_buckets(self) -> list[str]:
        """Names of the buckets in the state that `destroy` empties first, since they have `force_destroy`.

        Raises:
            StateError: the state can't be read.
        """
        buckets = (r["instances"] for r in self._managed() if r["type"] == "aws_s3_bucket")
        attributes = (instance["attributes"] for instances in buckets for instance in instances)
        return [bucket["bucket"] for bucket in attributes if bucket.get("force_destroy")]

    def _managed(self) -> list[dict[str, Any]]:
        workspaces = self.configuration_dir / "terraform.tfstate.d"
        return state_file.managed(workspaces / self.deployment_id / "terraform.tfstate")

    def find_target(self) -> Target:
        """Where the deployment was deployed to, seen to answer, and to be that account.

        Raises:
            EmulatorGoneError: its emulator was on this machine and runs no more.
            EmulatorError: its emulator doesn't answer.
            CredentialsError: the credentials are missing, expired, refused, or those of another account.
        """
        if self.endpoint_url:
            target = Target.emulator(self.endpoint_url, region=self.region, allow_remote=True)
        else:
            target = Target.aws(region=self.region)
        account = target.check().account
        if self.account not in ("", account):
            raise CredentialsError(
                f"it was deployed to the account {self.account}, but these credentials are of {account}:"
                " give that account's (AWS_PROFILE)"
            )
        return target

    @property
    def temporary(self) -> Path:
        """Where its terraform puts temporary files, and sockets, whose paths may have some 100 bytes."""
        return temporary_of(self.directory)

    def in_progress(self) -> bool:
        """Whether the process that owns the deployment is alive; on another host, whether it still may be."""
        if self.owner.rpartition("@")[2] != _owner().rpartition("@")[2]:
            return datetime.now(UTC) < self.expires_at
        return processes.still_lives(self.pid, self.started)

    def held(self, *, shared: bool = False) -> AbstractContextManager[None]:
        """Hold the deployment: one sweep at a time, and none while tests reuse it (shared).

        Raises:
            FileNotFoundError: the deployment is gone.
            BlockingIOError: another process holds it.
        """
        return folders.held(self.directory, shared=shared)

    def processes(self) -> list[psutil.Process]:
        """Every living process that carries the deployment's mark, except this one."""
        return processes.carrying(PROCESS_MARK, self.deployment_id)

    def delete(self, *, keep_logs: bool = False) -> None:
        """Delete the deployment's directory and, unless they are worth keeping, its logs.

        The record goes last: killed meanwhile, the deployment is still found, and known to hold nothing any more.
        """
        if self.directory.exists():
            self.at("destroyed")
        shutil.rmtree(self.temporary, ignore_errors=True)
        if not keep_logs:
            shutil.rmtree(self.logs, ignore_errors=True)
        for path in self.directory.glob("*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != RECORD:
                path.unlink(missing_ok=True)
        shutil.rmtree(self.directory, ignore_errors=True)
        for parent in (self.directory.parent, self.logs.parent):
            folders.delete_if_empty(parent)


def _owner() -> str:
    """This user on this machine, without what a tag may not hold."""
    return re.sub(r"[^\w .:/=+@-]", "-", f"{getpass.getuser()}@{socket.gethostname()}")


def deployments_dir(state_dir: Path) -> Path:
    """Where the deployments of a project lie."""
    return state_dir / "deployments"


def recorded(state_dir: Path) -> Iterator[DeploymentRecord]:
    """Every run whose record can be read, oldest first."""
    for directory in sorted(deployments_dir(state_dir).glob("*")):
        try:
            yield DeploymentRecord.load(directory)
        except (OSError, ValueError):
            continue  # see `unrecorded`
