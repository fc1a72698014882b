"""Reads IAM policies: what a role may do, as far as the state tells."""

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from event_harness.system.graph.references import References
from event_harness.system.graph.state import Resource

# AWS's own policies that let a role write, by the end of their ARN.
_MANAGED = {
    "AdministratorAccess": "*",
    "PowerUserAccess": "*",
    "AmazonS3FullAccess": "s3:*",
    "AmazonSQSFullAccess": "sqs:*",
    "AmazonSNSFullAccess": "sns:*",
    "AmazonDynamoDBFullAccess": "dynamodb:*",
    "AmazonDynamoDBFullAccess_v2": "dynamodb:*",
    "AmazonEventBridgeFullAccess": "events:*",
    "AmazonKinesisFullAccess": "kinesis:*",
    "AmazonKinesisFirehoseFullAccess": "firehose:*",
    "AWSStepFunctionsFullAccess": "states:*",
    "AWSLambda_FullAccess": "lambda:*",
    "AWSLambdaRole": "lambda:InvokeFunction",
}
_KIND = re.compile(r"^(table|event-bus|stream|function|stateMachine|deliverystream)[/:]")


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, with lists for single values."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    services: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def acts(self, action: str) -> str | None:
        """The pattern in it that covers an action, if there is one."""
        return next((one for one in self.actions if _matches(one.lower(), action.lower())), None)


def statements(policy: object) -> list[Statement]:
    """The statements of a policy's JSON. One with NotAction or NotResource is left out: it names nothing."""
    try:
        value = json.loads(policy) if isinstance(policy, str) and policy else {}
    except (ValueError, RecursionError):
        return []
    found = value.get("Statement") if isinstance(value, Mapping) else None
    items = found if isinstance(found, list) else [found]
    return [_statement(item) for item in items if isinstance(item, Mapping) and "Action" in item]


def _statement(item: Mapping[str, Any]) -> Statement:
    principal = item.get("Principal")
    services = principal.get("Service") if isinstance(principal, Mapping) else None
    conditions = item.get("Condition")
    return Statement(
        item.get("Effect") == "Allow",
        tuple(_texts(item.get("Action"))),
        tuple(_texts(item.get("Resource"))),
        tuple(_texts(services)),
        tuple(_sources(conditions)) if isinstance(conditions, Mapping) else (),
    )


def _sources(conditions: Mapping[str, Any]) -> Iterator[str]:
    """The ARNs that a condition on `aws:SourceArn` names."""
    for keys in conditions.values():
        for key, value in keys.items() if isinstance(keys, Mapping) else ():
            if str(key).lower() == "aws:sourcearn":
                yield from _texts(value)


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def allows(given: Iterable[Statement], action: str, resource: str) -> str | None:
    """How statements allow an action on a resource: the widest pattern is told last.

    Args:
        given: The statements of a role.
        action: Such as `sqs:SendMessage`.
        resource: An ARN without wildcards.

    Returns:
        The pattern of the resource that covers it, the most exact one; None if none does or one denies it.
    """
    patterns: list[str] = []
    for statement in given:
        if statement.acts(action) is None:
            continue
        covering = [one for one in statement.resources if covers(one, resource)]
        if covering and not statement.allows:
            return None
        patterns += covering
    return max(patterns, key=lambda one: len(one.replace("*", "").replace("?", "")), default=None)


def covers(pattern: str, resource: str) -> bool:
    """Whether a pattern of a policy covers a resource, or something in it, such as an object of a bucket."""
    if _matches(pattern, resource):
        return True
    if ":s3:::" in resource:
        inside = pattern.partition("/")[0]
    elif ":function:" in resource:
        inside = ":".join(pattern.split(":")[:7])  # without an alias or a version
    else:
        return False
    return inside != pattern and _matches(inside, resource)


def is_generic(pattern: str) -> bool:
    """Whether a pattern covers every resource of a service, and so names none."""
    parts = pattern.split(":", 5)
    told = re.sub(_KIND, "", parts[-1] if len(parts) == 6 else pattern)
    return not told.strip("*/:?")


def _matches(pattern: str, text: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _of_own_resources(resources: Iterable[Resource]) -> tuple[set[str], set[str]]:
    """The names of the roles whose policies are resources of their own, and of those with attachments."""
    policies, attached = set(), set()
    for one in resources:
        if one.type == "aws_iam_role_policy":
            policies.add(one.text("role").rpartition("/")[2])
        elif one.type == "aws_iam_role_policy_attachment":
            attached.add(one.text("role").rpartition("/")[2])
        elif one.type == "aws_iam_policy_attachment":
            attached.update(str(role).rpartition("/")[2] for role in one.values.get("roles") or [])
    return policies, attached


class Roles:
    """What the roles of a state may do.

    Args:
        resources: All resources of a state.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._references = References(resources)
        self._statements: dict[str, list[Statement]] = {}
        self._complete: dict[str, bool] = {}
        # A role repeats the policies that other resources give it, as they were before the last apply.
        with_policies, with_attached = _of_own_resources(resources)
        roles = [one for one in resources if one.type == "aws_iam_role"]
        for role in roles:
            name = role.text("name")
            inline = [] if name in with_policies else role.blocks("inline_policy")
            self._statements[name] = [found for one in inline for found in statements(one.get("policy"))]
            self._complete[name] = role.managed
            for arn in [] if name in with_attached else role.values.get("managed_policy_arns") or []:
                self._attach(name, arn)
        for one in resources:
            self._read(one)

    def of(self, role: object) -> tuple[Sequence[Statement], bool]:
        """The statements of a role, and whether these are all of its statements.

        Args:
            role: Its ARN or its name.
        """
        name = str(role or "").rpartition("/")[2]
        return self._statements.get(name, []), self._complete.get(name, False)

    def _read(self, one: Resource) -> None:
        if one.type == "aws_iam_role_policy":
            self._add(one.text("role"), statements(one.values.get("policy")))
        elif one.type == "aws_iam_role_policy_attachment":
            self._attach(one.text("role"), one.values.get("policy_arn"))
        elif one.type == "aws_iam_policy_attachment":
            for role in one.values.get("roles") or []:
                self._attach(role, one.values.get("policy_arn"))

    def _add(self, role: str, found: list[Statement]) -> None:
        known = self._statements.setdefault(role.rpartition("/")[2], [])
        known += [one for one in found if one not in known]

    def _attach(self, role: str, arn: object) -> None:
        policy = self._references.find(arn, "aws_iam_policy")
        if policy is not None:
            self._add(role, statements(policy.values.get("policy")))
            return
        name = str(arn or "").rpartition("/")[2]
        if name in _MANAGED:
            self._add(role, [Statement(True, (_MANAGED[name],), ("*",))])
        elif ":iam::aws:policy/" not in str(arn):
            self._complete[role.rpartition("/")[2]] = False
