"""What runs have left on a target: told by its tags without any record, removed without any state."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.ownership import (
    EXPIRES_FORMAT,
    TAG_DEPLOYMENT,
    TAG_EXPIRES,
    TAG_OWNER,
    deployment_ids_in,
    is_deployment_id,
)
from event_harness.aws.targets import Target
from event_harness.errors import SweepError
from event_harness.orphans.inventory import Found
from event_harness.orphans.removal import in_order, remove
from event_harness.orphans.tagged import Tags, tagged

# Seconds before each look at whether all is gone: a deleted queue, say, is listed for up to a minute.
_LOOKS = (0.0, 0.2, 2.0, 5.0, 10.0, 20.0, 30.0)

# What a deployment may have made and not tagged; only that is told by its name.
_MAY_LACK_TAGS = (
    "aws_s3_bucket",  # the provider tags it a moment after it has made it
    "aws_kinesis_stream",  # the same
    "aws_cloudwatch_log_group",  # Lambda makes it anew when a function outlives its log group
    "aws_lambda_event_source_mapping",  # has no tags; one whose function lives goes by the function's
)


@dataclass
class Orphans:
    """What one deployment has left on a target.

    Attributes:
        deployment_id: of the deployment, from the tags.
        owner: who began it.
        expires: the latest time that its tags name (UTC); None if one of them can't be read.
        resources: what can be removed here.
        others: ARNs of its resources of types that the harness doesn't know.
    """

    deployment_id: str
    owner: str = "unknown"
    expires: datetime | None = None
    resources: list[Found] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def expired(self, now: datetime) -> bool:
        """Whether its tags prove that nobody needs it any more."""
        return self.expires is not None and self.expires < now

    def __str__(self) -> str:
        count = len(self.resources) + len(self.others)
        return f"{count} resource{'s' * (count != 1)} of {self.owner}"


def find(target: Target) -> list[Orphans]:
    """Everything on the target whose tags say that a deployment of the harness made it, by run.

    A resource without any tag, of a type that may lack them, belongs to a deployment if its name holds the deployment's
    id and another resource's tags prove that deployment. IAM: as `tagged.tagged`.

    Raises:
        SweepError: a service can't be asked.
    """
    try:
        known, others = tagged(target)
    except AWS_ERRORS as error:
        where = target.endpoint_url or f"the account (region {target.region})"
        raise SweepError(
            f"{where} can't be searched for what deployments have left: {message_of(error)}"
        ) from error
    ours = {tags[TAG_DEPLOYMENT] for tags in [*(t for _, t in known), *others.values()] if _is_ours(tags)}
    return [_of(deployment_id, known, others) for deployment_id in sorted(ours)]


def find_of(target: Target, deployment_id: str) -> Orphans:
    """Everything of one deployment, by tag or by name: for a deployment that a record proves to be ours."""
    return _of(deployment_id, *tagged(target))


def remove_all(
    target: Target,
    deployment_id: str,
    say: Callable[[str], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Remove all of one deployment, until none of it is found any more.

    Args:
        target: where.
        deployment_id: a deployment whose tags have expired, or that a record proves to be ours.
        say: told what is deleted, a line each.
        sleep: waits between two looks.

    Returns:
        What is left, and why; empty if nothing is.
    """
    for pause in _LOOKS:
        sleep(pause)
        left = find_of(target, deployment_id)
        refused = {}
        for found in in_order(left.resources):
            try:
                remove(target, found)
            except AWS_ERRORS as error:
                refused[found] = f"{found} can't be deleted: {message_of(error)}"
            else:
                say(f"{deployment_id}: deleted {found}")
        if not left.resources:
            break
    return [refused.get(found, f"{found} is still there") for found in left.resources] + [
        f"{arn} is of a type that the harness doesn't know: delete it by hand" for arn in left.others
    ]


def _of(deployment_id: str, known: Iterable[tuple[Found, Tags]], others: dict[str, Tags]) -> Orphans:
    its = [(found, tags) for found, tags in known if tags.get(TAG_DEPLOYMENT) == deployment_id]
    named = [
        found
        for found, tags in known
        if not tags and found.type in _MAY_LACK_TAGS and deployment_id in deployment_ids_in(found.name)
    ]
    unknown = {arn: tags for arn, tags in others.items() if tags.get(TAG_DEPLOYMENT) == deployment_id}
    all_tags = [*(tags for _, tags in its), *unknown.values()]
    expiries = [_time(tags.get(TAG_EXPIRES, "")) for tags in all_tags]
    readable = [expires for expires in expiries if expires is not None]
    return Orphans(
        deployment_id,
        owner=next((tags[TAG_OWNER] for tags in all_tags if TAG_OWNER in tags), "unknown"),
        expires=max(readable) if readable and len(readable) == len(expiries) else None,
        resources=[found for found, _ in its] + named,
        others=sorted(unknown),
    )


def _is_ours(tags: Tags) -> bool:
    return is_deployment_id(tags.get(TAG_DEPLOYMENT, "")) and TAG_EXPIRES in tags


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, EXPIRES_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
