"""Lists what a role may do, grant by grant, and takes one grant away at a time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Grant:
    """One action on one resource, allowed by the statement `sid` of a role's policy."""

    role: str
    sid: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.role}, statement {self.sid}: {self.action} on {self.resource}"


class Role:
    """The role of a deployed function. Its only policy is an inline policy.

    Args:
        iam: An IAM client.
        arn: The ARN of the role.
    """

    def __init__(self, iam: Any, arn: str) -> None:
        self.iam = iam
        self.arn = arn
        self.name = arn.rpartition("/")[2]
        assert iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"] == []
        (self.policy,) = iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        self.document = iam.get_role_policy(RoleName=self.name, PolicyName=self.policy)["PolicyDocument"]

    @property
    def grants(self) -> list[Grant]:
        statements = self.document["Statement"]
        assert all(set(one) == {"Sid", "Effect", "Action", "Resource"} for one in statements)
        assert all(one["Effect"] == "Allow" for one in statements)
        return [
            Grant(self.name, one["Sid"], action, resource)
            for one in statements
            for action in _listed(one["Action"])
            for resource in _listed(one["Resource"])
        ]

    @contextmanager
    def without(self, grant: Grant) -> Iterator[None]:
        """Take one grant away from the role, and restore it afterwards."""
        left = [
            {"Effect": "Allow", "Action": one.action, "Resource": one.resource}
            for one in self.grants
            if one != grant
        ]
        assert len(left) == len(self.grants) - 1
        self._put(self.document | {"Statement": left})
        try:
            yield
        finally:
            self._put(self.document)

    def _put(self, document: dict[str, Any]) -> None:
        self.iam.put_role_policy(
            RoleName=self.name, PolicyName=self.policy, PolicyDocument=json.dumps(document)
        )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
