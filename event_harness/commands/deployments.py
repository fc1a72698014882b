"""The commands about deployments: list and sweep."""

import argparse
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from event_harness.commands.options import state_dir, target
from event_harness.deployments import records, unrecorded
from event_harness.deployments.sweep import sweep as sweep_by_record
from event_harness.deployments.sweep import sweep_by_tag
from event_harness.errors import printable
from event_harness.machine import terminal
from event_harness.orphans import by_tag


def show(options: argparse.Namespace) -> int:
    """Show the deployments that are in progress or were left behind."""
    rows: list[tuple[str, str, str, str, str, datetime | None]] = []
    recorded = list(records.recorded(state_dir(options)))
    for record in recorded:
        state = "in progress" if record.in_progress() else "kept" if record.kept else "left behind"
        rows.append(
            (
                record.deployment_id,
                record.endpoint_url or record.target,
                record.stage,
                state,
                record.owner,
                record.expires_at,
            )
        )
    lost = list(unrecorded.find(state_dir(options)))
    rows += [(one.deployment_id, "?", "?", "record can't be read", "?", None) for one in lost if one.use()]
    if asked := target(options):
        now = by_tag.time_of(asked)
        for orphaned in by_tag.find(asked):
            if orphaned.deployment_id not in {record.deployment_id for record in recorded}:
                count = f"{len(orphaned.resources) + len(orphaned.others)} resources"
                state = "expired" if orphaned.expired(now) else "not on record here"
                where = asked.endpoint_url or asked.name
                rows.append((orphaned.deployment_id, where, count, state, orphaned.owner, orphaned.expires))
    if not rows:
        print("no deployments: nothing is in progress, nothing was left behind")

        return 0
    table = Table("deployment", "target", "stage", "state", "owner", "expires", box=None)
    for column in table.columns:
        column.no_wrap = True  # users copy ids and addresses
    for *texts, expires in rows:
        # Text: the markup of rich in a tag is no markup.
        cells = [Text(printable(text)) for text in texts]
        table.add_row(*cells, f"{expires:%Y-%m-%d %H:%M}" if expires else "?")
    # Wider than any row: a narrower terminal then breaks lines, not words.

    Console(width=500).print(table)
    return 0


def sweep(options: argparse.Namespace) -> int:
    """Destroy what dead deployments have left."""
    asked = target(options)
    where = state_dir(options)
    code = 0
    if asked and not options.deployment_id:
        # By tag first: this also deletes the directory of a deployment whose record is lost.
        code |= sweep_by_tag(where, asked, dry_run=options.dry_run, say=terminal.say)
    return code | sweep_by_record(
        where, only=options.deployment_id, dry_run=options.dry_run, say=terminal.say
    )
