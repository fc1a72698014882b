"""The commands about deployments: list and sweep."""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from event_harness.aws.targets import Target
from event_harness.commands import table
from event_harness.commands.options import settings, state_dir, target
from event_harness.deployments import records, unrecorded
from event_harness.deployments.remote_state import RemoteState
from event_harness.deployments.sweep import sweep as sweep_by_record
from event_harness.deployments.sweep import sweep_by_tag
from event_harness.errors import printable
from event_harness.machine import terminal
from event_harness.orphans import by_tag

_HEADERS = ("deployment", "target", "stage", "state", "owner", "expires")


@dataclass(frozen=True)
class Row:
    """A deployment in the list.

    Attributes:
        deployment_id: its id.
        target: where it is; None if that isn't known.
        stage: how far it came; None if that isn't known.
        state: `in progress`, `kept`, `left behind`, `record can't be read`; of one that only the target
            knows `expired` or `not on record here`.
        owner: user@host; None if that isn't known.
        expires_at: when a sweep may destroy it (UTC); None if that isn't known.
        resources: how many resources carry its tags; None if the target wasn't asked.
    """

    deployment_id: str
    target: str | None
    stage: str | None
    state: str
    owner: str | None
    expires_at: datetime | None
    resources: int | None = None

    def cells(self) -> list[str]:
        """The row of the table."""
        stage = self.stage if self.resources is None else f"{self.resources} resources"
        expires = f"{self.expires_at:%Y-%m-%d %H:%M}" if self.expires_at else None
        cells = (self.deployment_id, self.target, stage, self.state, self.owner, expires)
        return [printable(cell or "?") for cell in cells]

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        expires = self.expires_at.isoformat() if self.expires_at else None
        return asdict(self) | {"expires_at": expires}


def show(options: argparse.Namespace) -> int:
    """Show the deployments that are in progress or were left behind."""
    rows = _rows(options)
    if options.json:
        print(json.dumps([row.as_json() for row in rows], indent=2))
    elif not rows:
        terminal.say("no deployments: nothing is in progress, nothing was left behind")
    else:
        for line in table.lines(_HEADERS, [row.cells() for row in rows], table.terminal_width()):
            terminal.say(line)
    return 0


def _rows(options: argparse.Namespace) -> list[Row]:
    recorded = list(records.recorded(state_dir(options)))
    rows = [
        Row(
            record.deployment_id,
            record.endpoint_url or record.target,
            record.stage,
            "in progress" if record.in_progress() else "kept" if record.kept else "left behind",
            record.owner,
            record.expires_at,
        )
        for record in recorded
    ]
    lost = [one for one in unrecorded.find(state_dir(options)) if one.use()]
    rows += [Row(one.deployment_id, None, None, "record can't be read", None, None) for one in lost]
    if asked := target(options):
        rows += _tagged(asked, {record.deployment_id for record in recorded})
    return rows


def _tagged(asked: Target, on_record: set[str]) -> list[Row]:
    now = by_tag.time_of(asked)
    return [
        Row(
            one.deployment_id,
            asked.endpoint_url or asked.name,
            None,
            "expired" if one.expired(now) else "not on record here",
            one.owner,
            one.expires,
            len(one.resources) + len(one.others),
        )
        for one in by_tag.find(asked)
        if one.deployment_id not in on_record
    ]


def sweep(options: argparse.Namespace) -> int:
    """Destroy what dead deployments have left."""
    asked = target(options)
    where = state_dir(options)
    said: list[str] = []

    def say(line: str) -> None:
        """Print a line; with --json to stderr, since stdout is for the JSON."""
        said.append(line)
        print(printable(line), file=sys.stderr, flush=True)

    heard = say if options.json else terminal.say
    code = 0
    if asked and (url := settings(options, remote_state=options.remote_state)[0]["remote_state"]):
        # First of all: what is on record here is then destroyed by its state.
        remote = RemoteState.open(url, asked)
        remote.restore(where, options.deployment_id, heard, dry_run=options.dry_run)
    if asked and not options.deployment_id:
        # By tag first: this also deletes the directory of a deployment whose record is lost.
        code |= sweep_by_tag(where, asked, dry_run=options.dry_run, say=heard)
    code |= sweep_by_record(where, only=options.deployment_id, dry_run=options.dry_run, say=heard)
    if options.json:
        left = {record.deployment_id for record in records.recorded(where)}
        print(json.dumps(_outcome(said, left, done=code == 0, dry_run=options.dry_run), indent=2))
    return code


def _outcome(said: list[str], left: set[str], *, done: bool, dry_run: bool) -> dict[str, Any]:
    """The object that `sweep --json` prints: what was said, by deployment."""
    lines: dict[str, list[str]] = {}
    general = []
    for line in said:
        name, colon, rest = line.partition(": ")
        if colon and name.isalnum():
            lines.setdefault(name, []).append(rest)
        else:
            general.append(line)
    deployments = [
        {"deployment_id": name, "on_record": name in left, "messages": messages}
        for name, messages in lines.items()
    ]
    return {"done": done, "dry_run": dry_run, "deployments": deployments, "messages": general}
