"""The policies of what is deployed: of roles, queues, topics, functions and keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from event_harness.aws import policies
from event_harness.aws.errors import AWS_ERRORS, code_of
from event_harness.permissions.targets import service_of

Statements = list[Mapping[str, Any]]


@dataclass(frozen=True)
class Role:
    """What a role may do, and who may assume it.

    Attributes:
        statements: those of its inline and attached policies.
        limits: those of its permissions boundary, if it has one.
        trust: those of its trust policy.
        tags: its tags.
    """

    statements: Statements
    limits: list[Statements]
    trust: Statements
    tags: Mapping[str, str]


class Policies:
    """Reads each policy once.

    Args:
        client: returns a client of a service.

    IAM: `iam:GetRole`, `iam:ListRolePolicies`, `iam:GetRolePolicy`, `iam:ListAttachedRolePolicies`,
    `iam:GetPolicy`, `iam:GetPolicyVersion`, `sqs:GetQueueUrl`, `sqs:GetQueueAttributes`,
    `sns:GetTopicAttributes`, `lambda:GetPolicy`, `kms:DescribeKey`, `kms:GetKeyPolicy`.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self.role = cache(self._role)
        self.of_resource = cache(self._of_resource)
        self.key_of = cache(self._key_of)
        self.of_key = cache(self._of_key)

    def _role(self, arn: str) -> Role | None:
        """A role; None if it can't be read."""
        name, iam = arn.rpartition("/")[2], self._client("iam")
        try:
            role = iam.get_role(RoleName=name)["Role"]
            inline = iam.get_paginator("list_role_policies").paginate(RoleName=name)
            documents = [
                iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for page in inline
                for policy in page["PolicyNames"]
            ]
            attached = iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            documents += [
                self._managed(policy["PolicyArn"]) for page in attached for policy in page["AttachedPolicies"]
            ]
            boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
            limits = [policies.statements(self._managed(boundary))] if boundary else []
        except AWS_ERRORS:
            return None
        statements = [one for document in documents for one in policies.statements(document)]
        tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}
        return Role(statements, limits, policies.statements(role["AssumeRolePolicyDocument"]), tags)

    def _managed(self, arn: str) -> Any:
        iam = self._client("iam")
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    def _of_resource(self, arn: str) -> Statements | None:
        """The statements of a resource's own policy; None if it can't be read."""
        try:
            match service_of(arn):
                case "sqs":
                    return policies.statements(self._queue(arn).get("Policy"))
                case "sns":
                    return policies.statements(self._topic(arn).get("Policy"))
                case "lambda":
                    return self._function(arn)
        except AWS_ERRORS:
            pass
        return None

    def _queue(self, arn: str) -> Mapping[str, Any]:
        sqs, (account, name) = self._client("sqs"), arn.split(":")[4:6]
        url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {})
        return dict(found)

    def _topic(self, arn: str) -> Mapping[str, Any]:
        return dict(self._client("sns").get_topic_attributes(TopicArn=arn)["Attributes"])

    def _function(self, arn: str) -> Statements:
        name, qualifier = (*arn.split(":")[6:], "")[:2]
        asked = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}
        client = self._client("lambda")
        try:
            return policies.statements(client.get_policy(**asked)["Policy"])
        except AWS_ERRORS as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            client.get_function_configuration(**asked)  # raises the same if there is no such function
            return []

    def _key_of(self, arn: str) -> str:
        """The key that encrypts a queue or topic; empty if it is not one of KMS."""
        try:
            match service_of(arn):
                case "sqs":
                    return str(self._queue(arn).get("KmsMasterKeyId") or "")
                case "sns":
                    return str(self._topic(arn).get("KmsMasterKeyId") or "")
        except AWS_ERRORS:
            pass
        return ""

    def _of_key(self, key: str) -> Statements | None:
        """The statements of a key's policy; None if it can't be read."""
        kms = self._client("kms")
        try:
            found = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyId"]
            return policies.statements(kms.get_key_policy(KeyId=found, PolicyName="default")["Policy"])
        except AWS_ERRORS:
            return None
