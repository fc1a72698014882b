"""Checks after an apply on an emulator that the system would have its permissions on AWS."""

from collections.abc import Callable

from event_harness.aws.targets import Target
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import MissingPermissionError
from event_harness.permissions.look import look
from event_harness.system.graph.state import read


def check_permissions(record: DeploymentRecord, target: Target, say: Callable[[str], None]) -> None:
    """Look for missing permissions in what is deployed.

    What is missing is recorded, so that a deployment that stays isn't taken for a sound one.

    Args:
        record: the deployment's.
        target: where it is deployed.
        say: prints a line: what was checked, and what wasn't.

    Raises:
        MissingPermissionError: the system lacks permissions that AWS asks for; one line for each.
    """
    found = look(
        read(record.state).resources, target.client, region=target.region, account=target.check().account
    )
    record.lacks = found.lines
    record.save()
    for line in found.lines_of_dead_letters:
        say(f"permissions: AWS would lose the dead letters of {line}")
    if found.lines:
        lacks = "a permission" if len(found.lines) == 1 else f"{len(found.lines)} permissions"
        lines = "".join(f"\n  {line}" for line in found.lines)
        raise MissingPermissionError(
            f"the system lacks {lacks}, so it would fail on AWS:{lines}\n"
            "  (--harness-iam=off deploys it without this check)"
        )
    not_known = [f"{need.action} on {need.resource or 'any resource'}" for need in found.unknown]
    left = [*found.not_looked_at, *dict.fromkeys(not_known)]
    more = f"; not checked: {', '.join(left)}" if left else ""
    if found.checked or left:
        say(f"permissions: {found.checked} of the system's connections are there{more}")
