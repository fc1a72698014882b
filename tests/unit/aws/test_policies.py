"""What IAM policies say about a request: yes, no, or not known."""

import json

import pytest

from event_harness.aws.policies import Like, Request, allows, decide, matches, refuses, statements

QUEUE = "arn:aws:sqs:eu-west-1:000000000000:orders"
ROLE = "arn:aws:iam::000000000000:role/app/confirm"
TOPIC = "arn:aws:sns:eu-west-1:000000000000:placed"
SEND = Request("sqs:SendMessage", (QUEUE,), ROLE)


def allow(action="sqs:SendMessage", resource=QUEUE, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action="sqs:SendMessage", resource=QUEUE, **more):
    return allow(action, resource, **more) | {"Effect": "Deny"}


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("sqs:SendMessage", QUEUE, True),
        ("SQS:sendmessage", QUEUE, True),
        ("sqs:*", "*", True),
        ("*", QUEUE, True),
        (["sqs:Get*", "sqs:Send*"], ["arn:aws:sqs:*:*:payouts", "arn:aws:sqs:*:*:orders"], True),
        ("sqs:ReceiveMessage", QUEUE, False),
        ("sqs:SendMessage", QUEUE + "-dlq", False),
        ("sqs:SendMessage", QUEUE.upper(), False),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:000000000000:order?", True),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:000000000000:${aws:PrincipalTag/queue}", None),
        ("sqs:SendMessage", "arn:aws:sns:eu-west-1:000000000000:${aws:PrincipalTag/queue}", False),
    ],
)
def test_action_is_compared_without_case_and_resource_with_it(action, resource, expected):
    assert decide([allow(action, resource)], SEND) is expected


def test_not_action_and_not_resource_allow_the_others():
    but = {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::*"}
    assert decide([but], SEND) is True
    assert decide([but], Request("iam:PassRole", (ROLE,), ROLE)) is False
    assert decide([but], Request("s3:GetObject", ("arn:aws:s3:::b/k",), ROLE)) is False


def test_a_refusal_wins_over_every_permission():
    assert decide([allow("*", "*"), deny()], SEND) is False
    assert decide([allow("*", "*"), deny("sqs:Delete*")], SEND) is True


def test_a_boundary_limits_what_the_role_allows():
    assert decide([allow()], SEND, limits=[[allow("sqs:*", "*")]]) is True
    assert decide([allow()], SEND, limits=[[allow("s3:*", "*")]]) is False
    assert decide([], SEND, limits=[[allow("sqs:*", "*")]]) is False


@pytest.mark.parametrize("principal", [{"AWS": ROLE}, {"AWS": ["x", ROLE]}, "*", {"AWS": "*"}])
def test_a_resource_may_allow_a_role_by_its_own_policy(principal):
    assert decide([], SEND, resource=[allow(Principal=principal)]) is True


@pytest.mark.parametrize("principal", [{"AWS": ROLE + "x"}, {"Service": "sns.amazonaws.com"}, {}, None])
def test_a_resources_policy_allows_only_whom_it_names(principal):
    assert decide([], SEND, resource=[allow(Principal=principal)]) is False


def test_an_unknown_resource_is_allowed_if_the_action_is_allowed_anywhere():
    unknown = Request("sqs:SendMessage", (), ROLE)
    assert decide([allow()], unknown) is None
    assert decide([allow("sqs:Send*", "*")], unknown) is True
    assert decide([allow("sqs:ReceiveMessage", "*")], unknown) is False
    assert decide([allow("*", "*"), deny()], unknown) is None
    assert decide([allow("*", "*"), deny(resource="*")], unknown) is False


def test_one_of_several_names_of_a_resource_or_action_suffices():
    assert (
        decide([allow("lambda:InvokeFunction", "f:live")], Request("lambda:InvokeFunction", ("f", "f:live")))
        is True
    )
    assert (
        decide([allow("states:StartSync*", "*")], Request("states:Start", ("m",), also=("states:StartSync",)))
        is True
    )


def from_topic(**more):
    context = {"aws:sourcearn": TOPIC, "aws:sourceaccount": "000000000000", "aws:securetransport": "true"}
    return Request("sqs:SendMessage", (QUEUE,), service="sns.amazonaws.com", context=context | more)


SNS = {"Service": "sns.amazonaws.com"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"ArnEquals": {"aws:SourceArn": TOPIC}}, True),
        ({"ArnLike": {"AWS:SourceArn": "arn:aws:sns:*:*:placed"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:orders"}}, False),
        ({"StringEquals": {"aws:SourceArn": TOPIC}}, True),
        ({"StringEquals": {"aws:SourceArn": "arn:aws:sns:*:*:placed"}}, False),
        ({"StringLike": {"aws:SourceArn": "arn:aws:sns:*"}}, True),
        ({"ArnNotEquals": {"aws:SourceArn": TOPIC}}, False),
        ({"StringEquals": {"aws:SourceAccount": ["1", "000000000000"]}}, True),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, True),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"ArnEqualsIfExists": {"aws:SourceArn": "arn:aws:sns:eu-west-1:000000000000:x"}}, False),
        ({"Null": {"aws:SourceArn": "false"}}, True),
        ({"Null": {"aws:SourceArn": "true"}}, False),
        ({"StringEquals": {"aws:SourceOrgID": "o-1"}}, None),
        ({"StringEquals": {"aws:SourceOrgID": "o-1", "aws:SourceAccount": "1"}}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, None),
        ({"NumericLessThan": {"aws:SourceAccount": "1"}}, None),
        ({"ForAnyValue:StringEquals": {"aws:SourceAccount": "000000000000"}}, True),
        ({"ForAllValues:StringEquals": {"aws:SourceAccount": "1"}}, False),
        ({"ArnEquals": {"aws:SourceArn": TOPIC}, "StringEquals": {"aws:SourceAccount": "1"}}, False),
    ],
)
def test_condition_of_a_queues_policy(condition, expected):
    assert allows([allow(Principal=SNS, Condition=condition)], from_topic(), named=True) is expected


def test_services_are_allowed_by_their_name_or_by_everybody():
    assert allows([allow(Principal={"Service": ["s3.amazonaws.com"]})], from_topic(), named=True) is False
    assert allows([allow(Principal="*")], from_topic(), named=True) is True
    assert allows([allow(Principal={"AWS": "000000000000"})], from_topic(), named=True) is False


def test_plain_http_is_refused_without_touching_our_requests():
    only_tls = deny("sqs:*", "*", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert refuses([only_tls], from_topic(), named=True) is False


def test_a_source_of_which_only_the_beginning_is_known_may_match():
    api = from_topic(**{"aws:sourcearn": Like("arn:aws:execute-api:eu-west-1:000000000000:api1/*")})

    def answer(pattern, operator="ArnLike"):
        return allows(
            [allow(Principal=SNS, Condition={operator: {"aws:SourceArn": pattern}})], api, named=True
        )

    assert answer("arn:aws:execute-api:eu-west-1:000000000000:api1/*/*") is None
    assert answer("arn:aws:execute-api:*:*:api1/*") is True
    assert answer("arn:aws:execute-api:eu-west-1:000000000000:api1/$default/POST/orders") is None
    assert answer("arn:aws:execute-api:eu-west-1:000000000000:api2/*") is False
    assert answer("arn:aws:execute-api:eu-west-1:000000000000:api1/x", "StringEquals") is None
    assert answer("arn:aws:execute-api:eu-west-1:000000000000:api2/x", "StringEquals") is False


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a*", "ab", None),
        ("a*", "a*", True),
        ("a*b", "ac*", None),
        ("a*b", "*c", False),
        ("*", "x?", None),
        ("ab", "b*", False),
    ],
)
def test_two_patterns_overlap(one, other, expected):
    assert matches(Like(one), other) is expected


def test_a_document_may_be_encoded_and_hold_one_statement():
    assert statements("%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%7D%7D") == [{"Effect": "Allow"}]
    assert statements(json.dumps({"Statement": [allow()]})) == [allow()]
    assert statements("no policy") == statements(None) == statements({}) == []


def test_nothing_known_of_a_source_is_not_a_refusal():
    anything = from_topic(**{"aws:sourcearn": Like("*")})
    only = allow(Principal=SNS, Condition={"ArnLike": {"aws:SourceArn": TOPIC}})
    assert allows([only], anything, named=True) is None


@pytest.mark.parametrize(
    ("operator", "key", "expected"),
    [
        ("StringEquals", "AWS:SourceOwner", False),  # the policy that each new topic has
        ("ArnLike", "aws:SourceArn", False),
        ("StringEqualsIfExists", "aws:SourceAccount", True),
        ("StringNotEquals", "aws:SourceAccount", True),
        ("ForAnyValue:StringEquals", "aws:SourceOrgPaths", False),
        ("Null", "aws:SourceArn", False),
        ("StringEquals", "aws:PrincipalOrgID", None),
    ],
)
def test_a_condition_for_services_lets_no_role_in(operator, key, expected):
    value = "false" if operator == "Null" else "000000000000"
    own = allow(Principal={"AWS": "*"}, Condition={operator: {key: value}})
    assert decide([], SEND, resource=[own]) is expected


@pytest.mark.parametrize("account", ["000000000000", "arn:aws:iam::000000000000:root"])
def test_a_permission_of_the_account_needs_one_of_the_role_but_a_refusal_does_not(account):
    named = {"Principal": {"AWS": account}}
    assert decide([], SEND, resource=[allow(**named)]) is False
    assert decide([allow()], SEND, resource=[allow(**named)]) is True
    assert decide([allow()], SEND, resource=[deny(**named)]) is False


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("states.amazonaws.com", True),
        ("states.eu-west-1.amazonaws.com", True),
        ("states.us-gov-west-1.amazonaws.com", True),
        ("States.amazonaws.com", True),
        ("lambda.eu-west-1.amazonaws.com", False),
        ("states.example.amazonaws.com", False),
    ],
)
def test_a_service_may_be_named_with_its_region(named, expected):
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": named}}
    asked = Request("sts:AssumeRole", (ROLE,), service="states.amazonaws.com")
    assert allows([trust], asked, named=True) is expected
