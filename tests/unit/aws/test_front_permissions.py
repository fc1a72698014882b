"""MiniStack's denials of a role stand only where AWS would deny, too, and they name the resource."""

import json
import logging

import pytest
from ministack.core import iam_evaluator
from ministack.services import iam, sts

from event_harness.aws.front import permissions

QUEUE = "arn:aws:sqs:eu-west-1:000000000000:orders"
KEY = "ASIATEST"
ROLE = "arn:aws:iam::000000000000:role/confirm"


@pytest.fixture
def role(monkeypatch):
    """Return a function that gives the role its policies."""
    monkeypatch.setattr(iam, "_roles", type(iam._roles)())
    monkeypatch.setattr(iam, "_aws_managed_policies", {})
    monkeypatch.setattr(
        sts, "_sessions", {KEY: {"Arn": "arn:aws:sts::000000000000:assumed-role/confirm/orders"}}
    )

    def with_policies(*statements, attached=(), boundary=None):
        documents = {"inline": json.dumps({"Statement": statements})}
        iam._roles["confirm"] = {
            "Arn": ROLE,
            "InlinePolicies": documents,
            "AttachedPolicies": list(attached),
            "PermissionsBoundary": boundary,
        }

    return with_policies


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def asked(
    action,
    service,
    resource="*",
    *,
    key=KEY,
    principal="arn:aws:sts::000000000000:assumed-role/confirm/orders",
):
    """Ask for what MiniStack has denied; returns whether the denial stands."""

    def enforce(*_, **__):
        return iam_evaluator.EvalResult("ImplicitDeny", principal)

    return permissions.certain(enforce)(key, action, service, "eu-west-1", resource_arn=resource) is not None


def test_what_no_statement_allows_is_denied_and_logged(role, caplog):
    role(allow("sqs:ReceiveMessage", QUEUE))
    with caplog.at_level(logging.WARNING):
        assert asked("sqs:SendMessage", "sqs", QUEUE)
    assert caplog.messages == [
        f"permission denied: role confirm may not sqs:SendMessage on {QUEUE} (function orders)"
    ]


@pytest.mark.parametrize(
    ("action", "service", "resource", "statement"),
    [
        ("sqs:SendMessageBatch", "sqs", QUEUE, allow("sqs:SendMessage", QUEUE)),
        ("sns:PublishBatch", "sns", "arn:t", allow("sns:Publish", "arn:t")),
        ("ses:SendEmail", "sesv2", "*", allow("ses:SendRawEmail")),
        ("dynamodb:ExecuteStatement", "dynamodb", "*", allow("dynamodb:PartiQLSelect")),
        ("logs:PutLogEvents", "logs", "arn:g", allow("logs:PutLogEvents", "arn:g:*")),
        ("ssm:GetParameters", "ssm", "*", allow("ssm:GetParameters", "arn:p")),
        ("translate:TranslateText", "translate", "*", allow("translate:*")),
        ("translate:TranslateText", "translate", "*", allow("sqs:*")),
        (
            "sqs:SendMessage",
            "sqs",
            QUEUE,
            allow("sqs:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        ),
        (
            "sqs:SendMessage",
            "sqs",
            QUEUE,
            allow("sqs:*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        ),
        (
            "sqs:SendMessage",
            "sqs",
            QUEUE,
            allow("sqs:*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}}),
        ),
    ],
)
def test_what_aws_may_allow_is_allowed(role, action, service, resource, statement):
    role(statement)
    assert not asked(action, service, resource)


@pytest.mark.parametrize(
    ("action", "service", "statement"),
    [
        ("logs:PutLogEvents", "logs", allow("logs:CreateLogStream")),
        ("sqs:SendMessageBatch", "sqs", allow("sqs:SendMessageBatch", QUEUE)),
        (
            "sqs:SendMessage",
            "sqs",
            allow("sqs:*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}),
        ),
        ("sqs:SendMessage", "sqs", allow("sqs:*", QUEUE + "-dlq")),
    ],
)
def test_what_aws_denies_for_certain_is_denied(role, action, service, statement):
    role(statement)
    assert asked(action, service, QUEUE)


def test_other_names_of_a_resource_count(role):
    role(allow("s3:PutObject", "arn:aws:s3:::b/folder/*"))

    def named(path):
        extract = permissions._with_other_names(
            lambda *_: "arn:aws:s3:::" + "/".join(filter(None, path.split("/")))
        )
        return extract("s3", "PUT", path, {}, b"", {}, "eu-west-1", "000000000000")

    assert not asked("s3:PutObject", "s3", named("/b/folder/"))
    assert asked("s3:PutObject", "s3", named("/b/folder"))
    role(allow("lambda:InvokeFunction", "arn:f:live"))
    live = permissions._with_other_names(lambda *_: "arn:f")
    assert not asked(
        "lambda:InvokeFunction", "lambda", live("lambda", "", "", {}, b"", {"Qualifier": ["live"]}, "", "")
    )
    assert asked("lambda:InvokeFunction", "lambda", live("lambda", "", "", {}, b"", {}, "", ""))


def test_a_managed_policy_that_is_not_known_allows_everything(role, monkeypatch):
    monkeypatch.delenv("MINISTACK_AUTOCREATE_AWS_MANAGED", raising=False)
    role(attached=["arn:aws:iam::aws:policy/SomethingNew"])
    assert not asked("sqs:SendMessage", "sqs", QUEUE)


def test_the_documents_of_aws_policies_are_those_of_aws(role):
    permissions.know_managed_policies()
    role(attached=["arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"])
    assert not asked("sqs:ReceiveMessage", "sqs", QUEUE)
    assert asked("sqs:SendMessage", "sqs", QUEUE)


def test_a_boundary_limits_a_role(role):
    permissions.know_managed_policies()
    role(allow("sqs:*"), boundary="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert asked("sqs:SendMessage", "sqs", QUEUE)


def test_a_boundary_that_is_not_known_limits_nothing(role, monkeypatch):
    monkeypatch.delenv("MINISTACK_AUTOCREATE_AWS_MANAGED", raising=False)
    role(allow("sqs:SendMessage", QUEUE), boundary="arn:aws:iam::aws:policy/SomethingNew")
    assert not asked("sqs:SendMessage", "sqs", QUEUE)


def test_denials_of_users_stand_as_they_are(role):
    assert asked(
        "translate:TranslateText", "translate", key="AKIA", principal="arn:aws:iam::000000000000:user/u"
    )


def test_a_denied_call_is_answered_with_action_resource_and_role(role):
    role()
    assert asked("sqs:SendMessageBatch", "sqs", QUEUE)
    respond = permissions._with_resource(
        lambda service, action, principal, request, **options: options["message"]
    )
    assert respond("sqs", "sqs:SendMessageBatch", "arn:aws:sts::0:assumed-role/confirm/orders", "1") == (
        "User: arn:aws:sts::0:assumed-role/confirm/orders is not authorized to perform: sqs:SendMessage on "
        f"resource: {QUEUE} because no identity-based policy allows the sqs:SendMessage action"
    )


def test_a_service_may_deliver_what_the_policy_allows_or_may_allow(caplog):
    topic = "arn:aws:sns:eu-west-1:000000000000:t"

    def may(*statements):
        check = permissions._service_may(
            "sqs:SendMessage", lambda _: (json.dumps({"Statement": statements}), "0")
        )
        return check(QUEUE, "sns.amazonaws.com", topic, "000000000000")

    sns = {"Principal": {"Service": "sns.amazonaws.com"}}
    assert may(allow("sqs:SendMessage", QUEUE, **sns))
    assert may(allow("sqs:*", **sns, Condition={"StringEquals": {"aws:SourceOrgID": "o-1"}}))
    assert not may(allow("sqs:*", **sns, Condition={"ArnEquals": {"aws:SourceArn": topic + "x"}}))
    assert not may()
    only_tls = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    only_tls["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    assert may(allow("sqs:SendMessage", QUEUE, **sns), only_tls)
    nobody = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    assert not may(allow("sqs:SendMessage", QUEUE, **sns), nobody)
    assert caplog.messages[-1].startswith("permission denied: sns.amazonaws.com may not sqs:SendMessage on ")


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("sqs:ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility"),
        ("sqs:DeleteMessageBatch", "sqs:DeleteMessage"),
        ("sns:PublishBatch", "sns:Publish"),
        ("sqs:SendMessage", "sqs:SendMessage"),
    ],
)
def test_users_too_are_asked_for_the_action_that_aws_asks_for(operation, action):
    asked_for = []

    def enforce(_key, asked, *_, **__):
        asked_for.append(asked)

    permissions.certain(enforce)("AKIA", operation, operation.partition(":")[0], "eu-west-1")
    assert asked_for == [action]
