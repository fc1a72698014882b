"""A fake account: roles, queues, topics, functions and keys with their policies, behind fake clients."""

# ruff: noqa: N803 (the names are those of boto3)
import json
from types import SimpleNamespace

from botocore.exceptions import ClientError

from event_harness.system.graph.state import Resource

REGION, ACCOUNT = "eu-west-1", "000000000000"


def arn(service, name):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def role_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def for_service(service, action, resource, source=None):
    condition = {"Condition": {"ArnEquals": {"aws:SourceArn": source}}} if source else {}
    return allow(action, resource, Principal={"Service": service}, **condition)


def trusting(*services):
    return [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": list(services)}}]


class _Pages:
    def __init__(self, page):
        self.page = page

    def paginate(self, **_):
        return [self.page]


class Account:
    """Policies by ARN or name; each is a list of statements.

    Args:
        roles: By name, the statements of the inline policy and those of the trust policy.
        policies: Of queues, topics and functions, by ARN.
        keys: The KMS key of queues and topics, by ARN.
        key_policies: By key.
        managed: Documents of managed policies, by ARN.
        attached: ARNs of managed policies, by role.
    """

    def __init__(
        self, *, roles=None, policies=None, keys=None, key_policies=None, managed=None, attached=None
    ):
        self.roles, self.policies = roles or {}, policies or {}
        self.keys, self.key_policies = keys or {}, key_policies or {}
        self.managed, self.attached = managed or {}, attached or {}

    def client(self, service):
        return getattr(self, f"_{service}")()

    def _iam(self):
        def get_role(RoleName):
            _, trust = _found(self.roles, RoleName)
            return {"Role": {"AssumeRolePolicyDocument": {"Statement": trust}, "Tags": []}}

        def get_paginator(operation):
            if operation == "list_role_policies":
                return _Pages({"PolicyNames": ["inline"]})
            return SimpleNamespace(
                paginate=lambda RoleName: [
                    {"AttachedPolicies": [{"PolicyArn": one} for one in self.attached.get(RoleName, [])]}
                ]
            )

        return SimpleNamespace(
            get_role=get_role,
            get_paginator=get_paginator,
            get_role_policy=lambda RoleName, PolicyName: {
                "PolicyDocument": {"Statement": self.roles[RoleName][0]}
            },
            get_policy=lambda PolicyArn: {"Policy": {"DefaultVersionId": "v1"}},
            get_policy_version=lambda PolicyArn, VersionId: {
                "PolicyVersion": {"Document": {"Statement": _found(self.managed, PolicyArn)}}
            },
        )

    def _sqs(self):
        return SimpleNamespace(
            get_queue_url=lambda QueueName, QueueOwnerAWSAccountId: {"QueueUrl": arn("sqs", QueueName)},
            get_queue_attributes=lambda QueueUrl, AttributeNames: {"Attributes": self._attributes(QueueUrl)},
        )

    def _sns(self):
        return SimpleNamespace(
            get_topic_attributes=lambda TopicArn: {"Attributes": self._attributes(TopicArn)}
        )

    def _attributes(self, one):
        statements = _found(self.policies, one)
        policy = {"Policy": json.dumps({"Statement": statements})} if statements else {}
        return policy | ({"KmsMasterKeyId": self.keys[one]} if one in self.keys else {})

    def _lambda(self):
        def get_policy(FunctionName, Qualifier=None):
            name = f"function:{FunctionName}" + (f":{Qualifier}" if Qualifier else "")
            statements = _found(self.policies, arn("lambda", name))
            if not statements:
                raise _missing()
            return {"Policy": json.dumps({"Statement": statements})}

        return SimpleNamespace(
            get_policy=get_policy,
            get_function_configuration=lambda **asked: _found(
                self.policies, arn("lambda", ":".join(["function", *asked.values()]))
            ),
        )

    def _kms(self):
        return SimpleNamespace(
            describe_key=lambda KeyId: {"KeyMetadata": {"KeyId": KeyId}},
            get_key_policy=lambda KeyId, PolicyName: {
                "Policy": json.dumps({"Statement": _found(self.key_policies, KeyId)})
            },
        )


def _found(things, name):
    if name not in things:
        raise _missing()
    return things[name]


def _missing():
    return ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Get")


def declared(kind, /, address="", **values):
    """A resource as the state describes it."""
    return Resource(address or f"{kind}.this", "", kind, "this", None, values)
