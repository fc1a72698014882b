"""The record of each deployment on disk: its owner, its target, and its stage.

A deployment's directory is `.event-harness/deployments/<deployment_id>/`. It holds the copied configuration,
the state, TF_DATA_DIR and the record. The record is written before any resource is created, and deleted
after every resource is destroyed. So `event-harness list` and `event-harness sweep` find what a dead
deployment left.
"""

import os
import shutil
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
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
from event_harness.deployments import owner
from event_harness.errors import CredentialsError, StateError
from event_harness.machine import clock, command_line, dataclass_file, folders, processes, temporary
from event_harness.terraform import spares, state_file

RECORD = "record.json"
STATES = "terraform.tfstate.d"  # where Terraform keeps the states of workspaces
DEPLOYMENTS = "deployments"  # in the state directory: a directory for each deployment
TEMPORARY = "tmp"  # in a deployment's directory: its temporary files, or a link to them


@dataclass
class DeploymentRecord:
    """The record of one deployment.

    Attributes:
        deployment_id: its id, also in the tags of its resources.
        directory: the deployment's directory.
        root: the original Terraform root.
        configuration: the copied root, relative to `directory`; empty before it is copied.
        target: `local` or `aws`.
        endpoint_url: the emulator's URL, or None on real AWS.
        region: the AWS region.
        account: the AWS account; empty on an emulator.
        owner: user@host, as tagged.
        pid: the process that owns the deployment. Pid and `started` together identify it.
        started: start time of that process, from `processes.started_at`.
        created_at: when the deployment was started.
        expires_at: after this time a sweep by tag may remove its resources.
        stage: new, init, apply, applied, destroy, or destroyed.
        stages: when each stage was reached, epoch seconds.
        kept: kept on purpose (`--harness-keep`).
        variables: the input variables of its apply.
        var_files: names of the copied files of variables, in its directory.
        lacks: the permissions that the system lacked after its last apply, one line each.
        providers_why: why providers come from there, as it was said at the first apply.
        remote_state: where its state is kept besides, `s3://BUCKET/PREFIX`; empty: only here.
        provider_blocks: the arguments of its provider blocks that say where it was deployed.
        own_emulator: whether the deployment has an emulator of its own, in `aws/`.
        workspace: its Terraform workspace; if empty, the workspace has the deployment's id as its name.
        terraform: the binary of its apply; empty before.
        providers: source of its providers, registry or mirror. Another release can't read the state.
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
    stages: dict[str, float] = field(default_factory=dict)
    kept: bool = False
    own_emulator: bool = False
    workspace: str = ""
    terraform: str = ""
    providers: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    var_files: list[str] = field(default_factory=list)
    provider_blocks: list[dict[str, Any]] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    providers_why: str = ""
    remote_state: str = ""

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
        """Start a deployment of this process: create its directory and write its record."""
        deployment_id = new_deployment_id()
        now = clock.now().replace(microsecond=0)
        own = psutil.Process()
        record = cls(
            deployment_id=deployment_id,
            directory=state_dir / DEPLOYMENTS / deployment_id,
            root=str(root),
            target=target,
            endpoint_url=endpoint_url,
            region=region,
            owner=owner.of_this_process(),
            pid=own.pid,
            started=processes.started_at(own),
            created_at=now,
            expires_at=now + ttl,
        )
        try:
            record.directory.parent.mkdir(parents=True, exist_ok=True)
            folders.spread(record.directory.parent)
            folders.make(record.directory)  # the state holds secrets
            ignore = state_dir / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            record.save()
        except OSError as error:
            raise folders.cannot_record(state_dir, error) from error
        return record

    @classmethod
    def load(cls, directory: Path) -> "DeploymentRecord":
        """Read a deployment's record.

        Raises:
            OSError: the record doesn't exist or can't be read.
            ValueError: the record is cut off, or it is another deployment's.
        """
        return cls.from_text((directory / RECORD).read_text(encoding="utf-8"), directory)

    @classmethod
    def from_text(cls, text: str, directory: Path) -> "DeploymentRecord":
        """Read the text of a deployment's record.

        Raises:
            ValueError: the text is cut off, or it is another deployment's record.
        """
        fields = dataclass_file.decoded(text, cls)
        try:
            record = cls(**(fields | {"directory": directory}))
        except TypeError as error:
            raise ValueError(f"it lacks a field: {error}") from error
        if record.deployment_id != directory.name or not is_deployment_id(record.deployment_id):
            raise ValueError(f"it belongs to the deployment {record.deployment_id!r}")
        if record.pid <= 0:
            raise ValueError(f"its pid is {record.pid}")
        return record

    def save(self) -> None:
        """Write the record. The file is whole or untouched, even if this process is killed."""
        if not self.directory.exists():  # somebody has deleted it: what the record knows must not be lost
            folders.make(self.directory, exist_ok=True)
        dataclass_file.write(self.directory / RECORD, self.fields())

    def fields(self) -> dict[str, Any]:
        """What is recorded."""
        return {name: value for name, value in asdict(self).items() if name != "directory"}

    def at(self, stage: str) -> None:
        """Record the deployment's stage."""
        self.stage = stage
        self.stages[stage] = round(clock.timestamp(), 3)
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
    def sources(self) -> Path:
        """The file that tells what the deployment was made from."""
        return self.directory / "sources.json"

    @property
    def logs(self) -> Path:
        """Directory of terraform's output. It lies outside the deployment, so it outlives a failed one."""
        return self.directory.parent.parent / "logs" / self.deployment_id

    def managed_resources(self) -> list[str]:
        """Addresses of the resources in the state, without data sources.

        Raises:
            StateError: the state can't be read.
        """
        return [".".join(filter(None, [r.get("module"), r["type"], r["name"]])) for r in self.managed()]

    def disposable_buckets(self) -> list[str]:
        """Names of the buckets in the state that have `force_destroy`: `destroy` empties them first.

        Raises:
            StateError: the state can't be read.
        """
        buckets = (r["instances"] for r in self.managed() if r["type"] == "aws_s3_bucket")
        attributes = (instance["attributes"] for instances in buckets for instance in instances)
        return [bucket["bucket"] for bucket in attributes if bucket.get("force_destroy")]

    @property
    def state(self) -> Path:
        """The state file; of a remote state a copy."""
        top = self.directory if self.remote_state else self.configuration_dir
        return top / self.state_path

    @property
    def spares(self) -> Path:
        """What is recorded of the copies of large directories, which the next deployment may take."""
        return self.directory / "spares.json"

    @property
    def state_path(self) -> Path:
        """The state file, relative to the copied root; the same in each workspace."""
        return Path(STATES, self.deployment_id, "terraform.tfstate")

    def managed(self) -> list[dict[str, Any]]:
        """The resources that the state holds, as it writes them; data sources don't count.

        Raises:
            StateError: the state can't be read.
        """
        file = self.state
        applied = self.stage in ("applied", "destroy")
        if (applied and not _exists(file)) or (
            self.stage in ("init", "apply") and not _exists(self.directory)
        ):
            raise StateError(f"{file} has been deleted")
        return state_file.managed(file)

    def find_target(self) -> Target:
        """The deployment's target, after a check that it answers and is the same account.

        Raises:
            EmulatorGoneError: its emulator was on this machine and doesn't run any more.
            EmulatorError: its emulator doesn't answer.
            CredentialsError: the credentials are missing, expired, refused, or another account's.
        """
        if self.endpoint_url:
            target = Target.emulator(self.endpoint_url, region=self.region, allow_remote=True)
            if target.emulator_log:
                return target  # our own, and its process listens at the port
        else:
            target = Target.aws(region=self.region)
        account = target.check().account
        if self.account not in ("", account):
            raise CredentialsError(
                f"it was deployed to account {self.account}, but the credentials belong to account {account}:"
                f" use credentials of {self.account} (AWS_PROFILE)"
            )
        return target

    @property
    def temporary(self) -> Path:
        """The directory of its terraform's temporary files and sockets; see `machine.temporary`."""
        return self.directory / TEMPORARY

    @property
    def project(self) -> Path:
        """The directory that holds `.event-harness`."""
        return self.directory.absolute().parents[2]

    def command(self, name: str) -> str:
        """A command about this deployment, as the user may paste it: `event-harness sweep d01`."""
        return command_line.about_records(self.directory.parent.parent, name, self.deployment_id)

    @property
    def applying(self) -> str:
        """The command that applies what has changed in the project, as the user may paste it."""
        return f"pytest --harness-reuse={self.deployment_id} --harness-apply"

    def is_ours(self) -> bool:
        """Whether this very process owns the deployment. A forked child of the owner doesn't."""
        return self.pid == os.getpid() and self.in_progress()

    def in_progress(self) -> bool:
        """Whether the owner process is alive, or may be alive if it is on another host."""
        if self.owner.rpartition("@")[2] != owner.of_this_process().rpartition("@")[2]:
            return clock.now() < self.expires_at
        return processes.still_lives(self.pid, self.started)

    def held(self, *, shared: bool = False) -> AbstractContextManager[folders.Lock]:
        """Lock the deployment: exclusively for a sweep, shared for tests that reuse it.

        Raises:
            FileNotFoundError: the deployment is gone.
            BlockingIOError: another process holds the lock.
        """
        return folders.held(self.directory, shared=shared)

    def processes(self) -> list[psutil.Process]:
        """Every living process that carries the deployment's mark, except this one."""
        return processes.carrying(PROCESS_MARK, self.deployment_id)

    def delete(self, *, keep_logs: bool = False) -> None:
        """Delete the deployment's directory, and its logs unless `keep_logs`.

        The record is deleted last. If this process is killed before that, a sweep finds the record and knows
        from its stage that no resource is left.
        """
        if self.directory.exists():
            self.at("destroyed")
        temporary.delete(self.temporary)
        spares.keep(self.spares)
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


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise StateError(f"{path} can't be read: {error.strerror}") from error
