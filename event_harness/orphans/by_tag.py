"""Orphaned resources of deployments: found by their tags without a record, removed without a state."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

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
from event_harness.machine import interrupts
from event_harness.orphans.inventory import Found
from event_harness.orphans.removal import in_order, remove
from event_harness.orphans.tagged import Tags, tagged

# Seconds before each look at what is left: a deleted queue, for example, is listed for up to a minute.
_LOOKS = (0.0, 0.2, 2.0, 5.0, 10.0, 20.0, 30.0)

# Types that a deployment may have created without tags. Only these are recognized by their name.
_MAY_LACK_TAGS = (
    "aws_s3_bucket",  # the provider tags it a moment after creation
    "aws_kinesis_stream",  # the same
    "aws_cloudwatch_log_group",  # Lambda creates it again when a function outlives its log group
    "aws_lambda_event_source_mapping",  # has no tags; while its function exists, the function's tags count
)


@dataclass
class Orphans:
    """The resources that one deployment has left on a target.

    Attributes:
        deployment_id: the deployment, from the tags.
        owner: user@host that started it, from the tags.
        expires: the latest expiry in its tags (UTC); None if one of them can't be read.
        resources: resources that the harness can remove.
        others: ARNs of resources of types that the harness doesn't know.
    """

    deployment_id: str
    owner: str = "unknown"
    expires: datetime | None = None
    resources: list[Found] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def expired(self, now: datetime) -> bool:
        """Whether all its tags say that it has expired."""
        return self.expires is not None and self.expires < now

    def __str__(self) -> str:
        count = len(self.resources) + len(self.others)
        return f"{count} resource{'s' * (count != 1)} of {self.owner}"


def find(target: Target) -> list[Orphans]:
    """Everything on the target that carries a deployment's tags, grouped by deployment.

    A resource without tags, of a type that may lack them, belongs to a deployment if two things are true: its
    name holds the deployment's id, and the tags of another resource prove that deployment.
    IAM: as `tagged.tagged`.

    Raises:
        SweepError: a service can't be asked.
    """
    try:
        known, others = tagged(target)
    except AWS_ERRORS as error:
        where = target.endpoint_url or f"the account (region {target.region})"
        raise SweepError(f"{where} can't be searched for orphaned resources: {message_of(error)}") from error
    ours = {tags[TAG_DEPLOYMENT] for tags in [*(t for _, t in known), *others.values()] if _is_ours(tags)}
    return [_of(deployment_id, known, others) for deployment_id in sorted(ours)]


def time_of(target: Target) -> datetime:
    """The target's own time (UTC), from the `Date` header of an answer: this machine's clock may be wrong.

    IAM: none (sts:GetCallerIdentity is always allowed).

    Raises:
        SweepError: the target doesn't answer, or its answer has no date.
    """
    where = target.endpoint_url or f"the account (region {target.region})"
    try:
        answer = target.client("sts").get_caller_identity()
    except AWS_ERRORS as error:
        raise SweepError(f"{where} can't be asked for its time: {message_of(error)}") from error
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError as error:
        raise SweepError(
            f"{where} answers without its time (Date: {date!r}), so nobody knows which resources have expired"
        ) from error


def find_of(target: Target, deployment_id: str) -> Orphans:
    """Everything of one deployment, by tag or by name. Only for a deployment that is proven to be ours."""
    return _of(deployment_id, *tagged(target))


def remove_all(
    target: Target,
    deployment_id: str,
    say: Callable[[str], None],
    *,
    sleep: Callable[[float], None] = interrupts.pause,
) -> list[str]:
    """Remove every resource of one deployment, and look again until none is found.

    Args:
        target: where.
        deployment_id: a deployment whose tags have expired, or that is proven to be ours.
        say: prints a line for each deleted resource.
        sleep: waits between two looks.

    Returns:
        One line for each resource that is left, with the reason; empty if nothing is left.
    """
    for pause in _LOOKS:
        sleep(pause)
        left = find_of(target, deployment_id)
        refused = {}
        for found in in_order(left.resources):
            interrupts.check()
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
