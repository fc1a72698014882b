"""The commands about what is kept: status and sync."""

import argparse
import dataclasses
import json
from contextlib import ExitStack
from datetime import datetime

from event_harness.commands.options import state_dir
from event_harness.deployments import kept
from event_harness.deployments.status import Status
from event_harness.deployments.status import status as status_of
from event_harness.deployments.sync import shown
from event_harness.machine import terminal
from event_harness.machine.command_line import about_records
from event_harness.machine.interrupts import orderly_interrupts


def status(options: argparse.Namespace) -> int:
    """Show what is kept, where, since when, until when, and what has changed since."""
    where = state_dir(options)
    found = status_of(where)
    if options.json:
        print(json.dumps([dataclasses.asdict(one) for one in found], default=_text, indent=2))
        return 0
    for one in found:
        terminal.say("\n".join(_lines(one, about_records(where, "sync", one.what))))
    if not found:
        terminal.say("nothing is kept here: pytest --harness-keep keeps a deployment")
    return 0


def _text(time: datetime) -> str:
    return time.isoformat()


def _lines(one: Status, syncing: str) -> list[str]:
    until = f", expires {one.expires:%Y-%m-%d %H:%M} UTC" if one.expires else ""
    lines = [f"{one.what}: at {one.where}, since {one.since:%Y-%m-%d %H:%M} UTC{until}"]
    if not one.runs:
        lines.append("  its emulator has ended, and all that was deployed to it is gone")
    if one.lacks:
        lines.append("  its last apply failed the check of permissions; it lacks:")
        lines += [f"    {line}" for line in one.lacks]
    if one.synced_at:
        lines.append(f"  its functions run code of {one.synced_at:%Y-%m-%d %H:%M} UTC, newer than its state")
    if one.stale:
        names = f"{', '.join(one.stale)} ({shown(one.changed) or 'new code'})"
        lines.append(f"  changed since: {names}; --harness-reuse syncs it, or: {syncing}")
    if one.needs_apply:
        lines.append(
            f"  changed since: {shown(one.needs_apply)}; apply it with "
            f"pytest --harness-reuse={one.what} --harness-apply"
        )
        lines += [f"  not synced: {refused}" for refused in one.not_synced]
    return lines


def sync(options: argparse.Namespace) -> int:
    """Give the functions of a kept deployment the code of the project as it is now."""
    which, origin = (options.deployment_id, "command line") if options.deployment_id else ("last", "default")
    with orderly_interrupts(), ExitStack() as stack:
        one = kept.Kept(kept.find(state_dir(options), which, origin, "DEPLOYMENT_ID"), stack, terminal.say)
        changes = one.synchronise()
        if not changes:
            terminal.say(
                f"nothing has changed since deployment {one.record.deployment_id} was brought up to date"
            )
    return 1 if changes.others else 0
