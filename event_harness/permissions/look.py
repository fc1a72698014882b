"""Looks after an apply whether the deployed system has the permissions that AWS would ask for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from event_harness.aws import policies
from event_harness.aws.policies import Answer, Like, Request
from event_harness.permissions import deliveries, roles
from event_harness.permissions.deployed import Policies
from event_harness.permissions.need import Need
from event_harness.permissions.targets import service_of
from event_harness.system.graph.state import Resource

NOT_LOOKED_AT = {
    "aws_kinesis_firehose_delivery_stream": "delivery streams of Firehose",
    "aws_iot_topic_rule": "IoT rules",
    "aws_secretsmanager_secret_rotation": "rotations of secrets",
    "aws_ses_receipt_rule": "receipt rules of SES",
    "aws_appsync_datasource": "data sources of AppSync",
    "aws_s3control_object_lambda_access_point": "access points of S3 Object Lambda",
    "aws_mq_broker": "brokers of Amazon MQ",
    "aws_msk_cluster": "clusters of MSK",
}
"""Types of resources whose permissions aren't checked, in words."""

# SNS, EventBridge and S3 use the key of an encrypted queue or topic themselves.
_USE_KEYS = ("sns.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com")


@dataclass(frozen=True)
class Look:
    """What was found.

    Attributes:
        missing: permissions that the system lacks for certain.
        unknown: permissions that can't be decided.
        checked: how many are there.
        not_looked_at: what among the deployed resources isn't looked at, in words.
    """

    missing: tuple[Need, ...]
    unknown: tuple[Need, ...]
    checked: int
    not_looked_at: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """One line for each missing permission that the system can't work without, with its remedy."""
        return [_line(need) for need in self.missing if not need.for_failures]

    @property
    def lines_of_dead_letters(self) -> list[str]:
        """One line for each missing permission that only dead letters need: AWS loses them without a word."""
        return [_line(need) for need in self.missing if need.for_failures]


def _line(need: Need) -> str:
    return f"{need}: {need.remedy}"


def look(resources: Iterable[Resource], client: Callable[[str], Any], *, region: str, account: str) -> Look:
    """Compare what the resources of a deployment need with the policies that are deployed.

    Args:
        resources: those of its state.
        client: returns a client of a service.
        region: the region of the deployment.
        account: its account.
    """
    resources = [one for one in resources if one.managed]
    deployed = Policies(client)
    missing, unknown, checked = [], [], 0
    for need in dict.fromkeys(_needs(resources, deployed)):
        answer = _granted(need, deployed, region, account)
        checked += answer is True
        if answer is False:
            missing.append(need)
        elif answer is None:
            unknown.append(need)
    there = {one.type for one in resources}
    words = tuple(word for kind, word in NOT_LOOKED_AT.items() if kind in there)
    return Look(tuple(missing), tuple(unknown), checked, words)


def _needs(resources: Iterable[Resource], deployed: Policies) -> Iterator[Need]:
    known = list(resources)
    yield from roles.needs(known)
    for need in deliveries.needs(known):
        yield need
        if need.service in _USE_KEYS and (key := deployed.key_of(need.resource)):
            actions = ("kms:GenerateDataKey", "kms:Decrypt")
            yield from (replace(need, action=action, resource=key) for action in actions)


def _granted(need: Need, deployed: Policies, region: str, account: str) -> Answer:
    answer = _by_itself(need, deployed, region, account)
    if answer is False and need.otherwise:
        return _granted(need.otherwise, deployed, region, account)
    return answer


def _by_itself(need: Need, deployed: Policies, region: str, account: str) -> Answer:
    request = Request(
        need.action,
        tuple(one for one in (need.resource, *need.also) if one),
        need.role,
        need.service,
        _context(need, region, account),
        need.instead,
    )
    if need.action == "sts:AssumeRole":
        role = deployed.role(need.resource)
        return None if role is None else _by_policy(role.trust, request)
    if need.role:
        role = deployed.role(need.role)
        if role is None:
            return None
        tags = {f"aws:principaltag/{name.lower()}": value for name, value in role.tags.items()}
        request = Request(**{**vars(request), "context": {**request.context, **tags}})
        own = deployed.of_resource(need.resource) if service_of(need.resource) else None
        return policies.decide(role.statements, request, resource=own or (), limits=role.limits)
    if need.action.startswith("kms:"):
        if need.resource.startswith("alias/aws/") or ":alias/aws/" in need.resource:
            return False
        return _by_policy(deployed.of_key(need.resource), Request(**{**vars(request), "resources": ()}))
    return _by_policy(deployed.of_resource(need.resource), request)


def _by_policy(statements: Any, request: Request) -> Answer:
    """What a policy says that names its principals; not known if there is nothing to read."""
    if statements is None:
        return None
    if policies.refuses(statements, request, named=True):
        return False
    return policies.allows(statements, request, named=True)


def _context(need: Need, region: str, account: str) -> dict[str, Any]:
    context: dict[str, Any] = {
        "aws:securetransport": "true",
        "aws:requestedregion": region,
        "aws:resourceaccount": account,
    }
    if need.role:
        context |= {"aws:principalarn": need.role, "aws:principalaccount": need.role.split(":")[4]}
    elif need.action != "sts:AssumeRole" and need.source:
        context["aws:sourcearn"] = Like(need.source) if "*" in need.source else need.source
        context |= {"aws:sourceaccount": account, "aws:sourceowner": account}
    return context
