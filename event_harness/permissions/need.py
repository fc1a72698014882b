"""A permission that the system needs on AWS."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Need:
    """A permission that the system needs on AWS.

    Attributes:
        address: the resource of the configuration that makes it necessary.
        action: `sqs:SendMessage`.
        resource: the ARN of what is called; empty if it is chosen at run time.
        role: the ARN of the role that calls it; empty if a service does.
        service: the service that calls it (`sns.amazonaws.com`); empty if a role does.
        source: the ARN of what the service acts for; a pattern if only its beginning is known.
        also: further names of the resource, any of which may be allowed.
        instead: further actions, any of which will do.
        otherwise: another permission that will do.
        for_failures: it is for what could not be delivered only: without it, all else works on AWS.
    """

    address: str
    action: str
    resource: str
    role: str = ""
    service: str = ""
    source: str = ""
    also: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    otherwise: "Need | None" = field(default=None)
    for_failures: bool = False

    def __str__(self) -> str:
        where = self.resource or "any resource"
        if self.action == "sts:AssumeRole":
            return f"{self.address}: {self.service} may not assume the role {_name(self.resource)}"
        if self.role:
            return f"{self.address}: the role {_name(self.role)} may not {self.action} on {where}"
        source = f" for {self.source}" if self.source else ""
        return f"{self.address}: {self.service} may not {self.action} on {where}{source}"

    @property
    def remedy(self) -> str:
        """What to add to the configuration."""
        kind = self.action.partition(":")[0]
        if self.action == "sts:AssumeRole":
            return f"name {self.service} as a principal in its assume_role_policy"
        if self.role:
            return "allow it in a policy of the role"
        if kind == "lambda":
            return f'add an aws_lambda_permission with principal = "{self.service}" and that source_arn'
        if kind == "kms":
            return "allow it in the policy of a key of your own: the policies of AWS's keys can't be changed"
        policy = "aws_sqs_queue_policy" if kind == "sqs" else "aws_sns_topic_policy"
        return f"allow it in an {policy}, with that aws:SourceArn"


def for_role(
    address: str, role: str, actions: Sequence[str], resource: str, *, also: Sequence[str] = ()
) -> list[Need]:
    """The needs of a role for some actions on one resource; none if the role isn't known."""
    if not role.startswith("arn:"):
        return []
    return [Need(address, action, resource, role=role, also=tuple(also)) for action in actions]


def trust(address: str, role: str, service: str) -> list[Need]:
    """A service must be allowed to take a role on."""
    if not role.startswith("arn:"):
        return []
    return [Need(address, "sts:AssumeRole", role, service=service)]


def _name(role: str) -> str:
    return role.rpartition("/")[2]
