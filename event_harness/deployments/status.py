"""What is kept here: deployments and the emulator of `up`, where they are, and what has changed since."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from event_harness.aws.targets import Target
from event_harness.deployments import records, sync, up
from event_harness.deployments.record import DeploymentRecord
from event_harness.settings import STATE_DIR


@dataclass(frozen=True)
class Status:
    """A kept deployment, or the emulator of `up`.

    Attributes:
        what: the deployment's id; `up` for the emulator of `up`.
        where: the emulator's URL, or "aws".
        port: the emulator's port on this machine; None on a real account.
        since: when it was deployed or started.
        expires: after this time a sweep by tag may remove it; None for the emulator of `up`.
        runs: whether its emulator still runs; true on a real account, where nobody is asked.
        synced_at: when its functions got other code than that of the apply; None if they didn't.
        stale: names of the functions whose code has changed in the project since.
        changed: the files of that code, relative to the Terraform root.
        needs_apply: the other changed files, which only an apply can bring there.
        lacks: the permissions that it lacked after its last apply, one line each.
        not_synced: the functions whose code can't be made exactly as at apply, with the reason.
    """

    what: str
    where: str
    port: int | None
    since: datetime
    expires: datetime | None = None
    runs: bool = True
    synced_at: datetime | None = None
    stale: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    needs_apply: list[str] = field(default_factory=list)
    not_synced: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)


def status(state_dir: Path) -> list[Status]:
    """All that is kept in a project, oldest first, the emulator of `up` last.

    Args:
        state_dir: the project's directory of records.
    """
    found = [_of(record) for record in records.recorded(state_dir) if record.kept]
    emulator = up.running(state_dir.parent) if state_dir.name == STATE_DIR else None
    if emulator:
        since = datetime.fromtimestamp(psutil.Process(emulator.pid).create_time(), UTC).replace(microsecond=0)
        found.append(Status("up", emulator.endpoint_url, emulator.port, since))
    return found


def _of(record: DeploymentRecord) -> Status:
    changes, known = sync.changes_of(record), sync.recorded(record)
    url = record.endpoint_url
    return Status(
        record.deployment_id,
        url or record.target,
        urlsplit(url).port if url else None,
        record.created_at,
        record.expires_at,
        not (url and Target.emulator(url, region=record.region, allow_remote=True).gone()),
        datetime.fromisoformat(known.synced_at) if known and known.synced_at else None,
        changes.functions,
        changes.files,
        changes.others,
        changes.not_synced,
        record.lacks,
    )
