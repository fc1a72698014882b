"""The look names each permission that a system lacks for certain, and nothing else."""

import json

import pytest
from account import (
    ACCOUNT,
    REGION,
    Account,
    allow,
    arn,
    declared,
    for_service,
    role_arn,
    trusting,
)

from event_harness.permissions.look import look

QUEUE, TOPIC, FUNCTION = arn("sqs", "orders"), arn("sns", "placed"), arn("lambda", "function:confirm")
LETTERS, RULE = arn("sqs", "letters"), arn("events", "rule/shop/placed")
STREAM = arn("dynamodb", "table/orders/stream/2026")
SHARDS = arn("kinesis", "stream/clicks")
MACHINE = arn("states", "stateMachine:checkout")
ROLE = role_arn("app")
BUCKET = "arn:aws:s3:::inbox"


def looked(resources, **account):
    return look(resources, Account(**account).client, region=REGION, account=ACCOUNT)


def lacks(resources, **account):
    """Whom the look finds to lack what, and on what."""
    return {
        (need.service or need.role, need.action, need.resource)
        for need in looked(resources, **account).missing
    }


def machine(*tasks):
    states = {f"s{number}": {"Type": "Task", **task} for number, task in enumerate(tasks)}
    return declared(
        "aws_sfn_state_machine", role_arn=ROLE, arn=MACHINE, definition=json.dumps({"States": states})
    )


def function(**more):
    return declared("aws_lambda_function", function_name="confirm", arn=FUNCTION, role=ROLE, **more)


def role(
    *statements, trust=("lambda", "states", "events", "pipes", "scheduler", "apigateway", "logs", "sns")
):
    return {"roles": {"app": (list(statements), trusting(*(f"{one}.amazonaws.com" for one in trust)))}}


TARGET = {"name": "t", "rule": "placed", "event_bus_name": "shop"}
RULES = declared("aws_cloudwatch_event_rule", name="placed", event_bus_name="shop", arn=RULE)
SUBSCRIBED = [declared("aws_sns_topic_subscription", topic_arn=TOPIC, protocol="sqs", endpoint=QUEUE)]
NOTIFIED = [declared("aws_s3_bucket_notification", bucket="inbox", queue=[{"queue_arn": QUEUE}])]
MAPPED = [
    function(),
    declared("aws_lambda_event_source_mapping", function_arn=FUNCTION, event_source_arn=QUEUE),
]
SEND = allow("sqs:SendMessage", QUEUE)
DESTINED = declared(
    "aws_lambda_function_event_invoke_config",
    function_name="confirm",
    destination_config=[{"on_failure": [{"destination": QUEUE}], "on_success": []}],
)
PIPED = [declared("aws_pipes_pipe", role_arn=ROLE, source=STREAM, target=QUEUE)]
PIPE_READS = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"]

# What a system has, the account in which it works, and what it lacks in the other one.
CASES = {
    "queue policy for a topic": (
        SUBSCRIBED,
        {"policies": {QUEUE: [for_service("sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC)]}},
        {"policies": {QUEUE: [for_service("sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC + "x")]}},
        {("sns.amazonaws.com", "sqs:SendMessage", QUEUE)},
    ),
    "queue policy for a bucket": (
        NOTIFIED,
        {"policies": {QUEUE: [for_service("s3.amazonaws.com", "sqs:*", QUEUE, BUCKET)]}},
        {"policies": {QUEUE: []}},
        {("s3.amazonaws.com", "sqs:SendMessage", QUEUE)},
    ),
    "topic policy for a bucket": (
        [declared("aws_s3_bucket_notification", bucket="inbox", topic=[{"topic_arn": TOPIC}])],
        {
            "policies": {
                TOPIC: [for_service("s3.amazonaws.com", "SNS:Publish", TOPIC, "arn:aws:s3:*:*:inbox")]
            }
        },
        {"policies": {TOPIC: [allow("SNS:Publish", TOPIC, Principal={"AWS": ACCOUNT})]}},
        {("s3.amazonaws.com", "sns:Publish", TOPIC)},
    ),
    "lambda permission for a bucket": (
        [
            declared(
                "aws_s3_bucket_notification",
                bucket="inbox",
                lambda_function=[{"lambda_function_arn": FUNCTION}],
            )
        ],
        {
            "policies": {
                FUNCTION: [for_service("s3.amazonaws.com", "lambda:InvokeFunction", FUNCTION, BUCKET)]
            }
        },
        {"policies": {FUNCTION: []}},
        {("s3.amazonaws.com", "lambda:InvokeFunction", FUNCTION)},
    ),
    "lambda permission for a topic": (
        [declared("aws_sns_topic_subscription", topic_arn=TOPIC, protocol="lambda", endpoint=FUNCTION)],
        {
            "policies": {
                FUNCTION: [for_service("sns.amazonaws.com", "lambda:InvokeFunction", FUNCTION, TOPIC)]
            }
        },
        {
            "policies": {
                FUNCTION: [for_service("s3.amazonaws.com", "lambda:InvokeFunction", FUNCTION, BUCKET)]
            }
        },
        {("sns.amazonaws.com", "lambda:InvokeFunction", FUNCTION)},
    ),
    "lambda permission of an alias": (
        [
            declared(
                "aws_sns_topic_subscription", topic_arn=TOPIC, protocol="lambda", endpoint=FUNCTION + ":live"
            )
        ],
        {
            "policies": {
                FUNCTION + ":live": [
                    for_service("sns.amazonaws.com", "lambda:InvokeFunction", FUNCTION + ":live")
                ]
            }
        },
        {"policies": {FUNCTION + ":live": [], FUNCTION: [for_service("sns.amazonaws.com", "lambda:*", "*")]}},
        {("sns.amazonaws.com", "lambda:InvokeFunction", FUNCTION + ":live")},
    ),
    "queue policy for a rule": (
        [RULES, declared("aws_cloudwatch_event_target", arn=QUEUE, **TARGET)],
        {"policies": {QUEUE: [for_service("events.amazonaws.com", "sqs:SendMessage", QUEUE, RULE)]}},
        {
            "policies": {
                QUEUE: [for_service("events.amazonaws.com", "sqs:SendMessage", QUEUE, RULE[:-1] + "?x")]
            }
        },
        {("events.amazonaws.com", "sqs:SendMessage", QUEUE)},
    ),
    "lambda permission for a rule": (
        [RULES, declared("aws_cloudwatch_event_target", arn=FUNCTION, **TARGET)],
        {
            "policies": {
                FUNCTION: [for_service("events.amazonaws.com", "lambda:InvokeFunction", FUNCTION, RULE)]
            }
        },
        {"policies": {FUNCTION: []}},
        {("events.amazonaws.com", "lambda:InvokeFunction", FUNCTION)},
    ),
    "dead letters of a rule": (
        [
            RULES,
            declared(
                "aws_cloudwatch_event_target", arn=SHARDS, dead_letter_config=[{"arn": LETTERS}], **TARGET
            ),
        ],
        {"policies": {LETTERS: [for_service("events.amazonaws.com", "sqs:SendMessage", LETTERS, RULE)]}},
        {"policies": {LETTERS: []}},
        {("events.amazonaws.com", "sqs:SendMessage", LETTERS)},
    ),
    "role of a rule's target": (
        [RULES, declared("aws_cloudwatch_event_target", arn=MACHINE, role_arn=ROLE, **TARGET)],
        role(allow("states:StartExecution", MACHINE)),
        role(allow("states:StartExecution", MACHINE + "x")),
        {(ROLE, "states:StartExecution", MACHINE)},
    ),
    "dead letters of a subscription": (
        [
            declared(
                "aws_sns_topic_subscription",
                topic_arn=TOPIC,
                endpoint="https://example.com",
                redrive_policy=json.dumps({"deadLetterTargetArn": LETTERS}),
            )
        ],
        {"policies": {LETTERS: [for_service("sns.amazonaws.com", "sqs:SendMessage", LETTERS, TOPIC)]}},
        {"policies": {LETTERS: []}},
        {("sns.amazonaws.com", "sqs:SendMessage", LETTERS)},
    ),
    "permission for an HTTP API": (
        [
            declared(
                "aws_apigatewayv2_integration",
                api_id="api1",
                integration_uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations",
            )
        ],
        {
            "policies": {
                FUNCTION: [
                    for_service(
                        "apigateway.amazonaws.com",
                        "lambda:InvokeFunction",
                        FUNCTION,
                        arn("execute-api", "api1/*/*/orders"),
                    )
                ]
            }
        },
        {
            "policies": {
                FUNCTION: [
                    for_service(
                        "apigateway.amazonaws.com",
                        "lambda:InvokeFunction",
                        FUNCTION,
                        arn("execute-api", "api2/*"),
                    )
                ]
            }
        },
        {("apigateway.amazonaws.com", "lambda:InvokeFunction", FUNCTION)},
    ),
    "permission for a REST API": (
        [declared("aws_api_gateway_integration", rest_api_id="api1", uri=FUNCTION)],
        {"policies": {FUNCTION: [for_service("apigateway.amazonaws.com", "lambda:*", "*")]}},
        {"policies": {FUNCTION: []}},
        {("apigateway.amazonaws.com", "lambda:InvokeFunction", FUNCTION)},
    ),
    "permission for a log subscription": (
        [declared("aws_cloudwatch_log_subscription_filter", log_group_name="g", destination_arn=FUNCTION)],
        {"policies": {FUNCTION: [for_service(f"logs.{REGION}.amazonaws.com", "lambda:*", "*")]}},
        {"policies": {FUNCTION: []}},
        {("logs.amazonaws.com", "lambda:InvokeFunction", FUNCTION)},
    ),
    "permission for a user pool": (
        [
            declared(
                "aws_cognito_user_pool",
                arn=arn("cognito-idp", "userpool/p"),
                lambda_config=[{"pre_sign_up": FUNCTION}],
            )
        ],
        {"policies": {FUNCTION: [for_service("cognito-idp.amazonaws.com", "lambda:*", "*")]}},
        {"policies": {FUNCTION: []}},
        {("cognito-idp.amazonaws.com", "lambda:InvokeFunction", FUNCTION)},
    ),
    "role reads a queue": (
        MAPPED,
        role(allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], QUEUE)),
        role(allow(["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], QUEUE)),
        {(ROLE, "sqs:DeleteMessage", QUEUE)},
    ),
    "role reads a table's stream": (
        [
            function(),
            declared("aws_lambda_event_source_mapping", function_arn=FUNCTION, event_source_arn=STREAM),
        ],
        role(allow(PIPE_READS, STREAM)),
        role(allow(PIPE_READS, STREAM.partition("/stream")[0])),
        {(ROLE, action, STREAM) for action in PIPE_READS},
    ),
    "role reads a data stream": (
        [
            function(),
            declared("aws_lambda_event_source_mapping", function_name="confirm", event_source_arn=SHARDS),
        ],
        role(allow(["kinesis:Get*", "kinesis:DescribeStreamSummary"], SHARDS)),
        role(allow("kinesis:DescribeStream*", SHARDS)),
        {(ROLE, "kinesis:GetRecords", SHARDS), (ROLE, "kinesis:GetShardIterator", SHARDS)},
    ),
    "role sends failures": (
        [function(), DESTINED],
        role(SEND),
        role(allow("sqs:SendMessage", LETTERS)),
        {(ROLE, "sqs:SendMessage", QUEUE)},
    ),
    "role sends dead letters": (
        [function(dead_letter_config=[{"target_arn": TOPIC}])],
        role(allow("sns:Publish", TOPIC)),
        role(),
        {(ROLE, "sns:Publish", TOPIC)},
    ),
    "trust of a function's role": (
        [function()],
        role(trust=["lambda"]),
        role(trust=["states"]),
        {("lambda.amazonaws.com", "sts:AssumeRole", ROLE)},
    ),
    "role of a pipe": (
        PIPED,
        role(allow(PIPE_READS, STREAM), SEND),
        role(allow(PIPE_READS, STREAM)),
        {(ROLE, "sqs:SendMessage", QUEUE)},
    ),
    "role of a schedule": (
        [declared("aws_scheduler_schedule", target=[{"arn": FUNCTION, "role_arn": ROLE}])],
        role(allow("lambda:InvokeFunction", FUNCTION)),
        role(allow("lambda:InvokeAsync", FUNCTION)),
        {(ROLE, "lambda:InvokeFunction", FUNCTION)},
    ),
    "tasks of a state machine": (
        [
            machine(
                {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": FUNCTION}},
                {
                    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                    "Parameters": {"QueueUrl": "http://q/0/orders"},
                },
                {"Resource": "arn:aws:states:::dynamodb:putItem", "Arguments": {"TableName": "orders"}},
                {"Resource": "arn:aws:states:::aws-sdk:sns:publish", "Parameters": {"TopicArn.$": "$.topic"}},
            )
        ],
        role(
            allow("lambda:InvokeFunction", FUNCTION),
            SEND,
            allow("dynamodb:*Item", arn("dynamodb", "table/orders")),
            allow("sns:Publish", TOPIC),
        ),
        role(allow("lambda:InvokeFunction", FUNCTION)),
        {
            (ROLE, "sqs:SendMessage", QUEUE),
            (ROLE, "dynamodb:PutItem", arn("dynamodb", "table/orders")),
            (ROLE, "sns:Publish", ""),
        },
    ),
    "key of an encrypted queue": (
        SUBSCRIBED,
        {
            "policies": {QUEUE: [for_service("sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC)]},
            "keys": {QUEUE: "key-1"},
            "key_policies": {
                "key-1": [for_service("sns.amazonaws.com", ["kms:GenerateDataKey*", "kms:Decrypt"], "*")]
            },
        },
        {
            "policies": {QUEUE: [for_service("sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC)]},
            "keys": {QUEUE: "alias/aws/sqs"},
        },
        {
            ("sns.amazonaws.com", "kms:GenerateDataKey", "alias/aws/sqs"),
            ("sns.amazonaws.com", "kms:Decrypt", "alias/aws/sqs"),
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_works_on_aws_lacks_nothing(case):
    resources, works, _, _ = CASES[case]
    found = looked(resources, **works)
    assert found.lines == []
    assert found.checked or found.unknown


@pytest.mark.parametrize("case", CASES)
def test_what_fails_on_aws_is_named(case):
    resources, _, fails, expected = CASES[case]
    assert lacks(resources, **fails) == expected


@pytest.mark.parametrize("case", ["dead letters of a rule", "dead letters of a subscription"])
def test_lack_that_only_dead_letters_feel_is_told_apart(case):
    """AWS accepts such a system, and it works until something can't be delivered."""
    resources, works, fails, _ = CASES[case]
    found = looked(resources, **fails)
    assert (len(found.lines), len(found.lines_of_dead_letters)) == (0, 1)
    assert looked(resources, **works).lines_of_dead_letters == []


def test_a_line_names_resource_principal_action_and_remedy():
    account = {"policies": {QUEUE: []}}
    assert looked(SUBSCRIBED, **account).lines == [
        "aws_sns_topic_subscription.this: sns.amazonaws.com may not sqs:SendMessage on "
        f"{QUEUE} for {TOPIC}: allow it in an aws_sqs_queue_policy, with that aws:SourceArn"
    ]
    lines = looked(MAPPED, **role(allow("sqs:*", LETTERS), trust=["states"])).lines
    assert lines[0] == (
        "aws_lambda_function.this: lambda.amazonaws.com may not assume the role app: "
        "name lambda.amazonaws.com as a principal in its assume_role_policy"
    )
    assert lines[1] == (
        "aws_lambda_event_source_mapping.this: the role app may not sqs:ReceiveMessage on "
        f"{QUEUE}: allow it in a policy of the role"
    )


API = "arn:aws:execute-api:eu-west-1:000000000000:api1"
V1 = [
    declared("aws_api_gateway_resource", rest_api_id="api1", id="r1", path="/orders/{id}"),
    declared(
        "aws_api_gateway_integration", rest_api_id="api1", resource_id="r1", http_method="POST", uri=FUNCTION
    ),
]


def routed(*keys):
    integration = declared("aws_apigatewayv2_integration", api_id="api1", id="i1", integration_uri=FUNCTION)
    routes = [
        declared("aws_apigatewayv2_route", api_id="api1", target="integrations/i1", route_key=key)
        for key in keys
    ]
    return [integration, *routes, declared("aws_apigatewayv2_route", api_id="api1", target="integrations/i2")]


@pytest.mark.parametrize(
    ("resources", "source", "expected"),
    [
        (V1, f"{API}/*/POST/orders/*", "granted"),
        (V1, f"{API}/*/*/orders/*", "granted"),
        (V1, f"{API}/*/*", "granted"),
        (V1, f"{API}/prod/POST/orders/*", "not known"),
        (V1, f"{API}/*/GET/orders/*", "not known"),
        (routed("POST /orders"), f"{API}/*/POST/orders", "granted"),
        (routed("POST /orders"), f"{API}/*/*/orders", "granted"),
        (routed("POST /orders", "GET /orders"), f"{API}/*/POST/orders", "missing"),
        (routed("ANY /{proxy+}"), f"{API}/*/*/*", "granted"),
        (routed("$default"), f"{API}/*/$default", "granted"),
        (routed("$connect"), f"{API}/*/$disconnect", "missing"),
        (routed(), f"{API}/*/*", "granted"),
        (
            [declared("aws_apigatewayv2_authorizer", api_id="api1", id="a1", authorizer_uri=FUNCTION)],
            f"{API}/authorizers/a1",
            "granted",
        ),
        (
            [declared("aws_apigatewayv2_authorizer", api_id="api1", id="a1", authorizer_uri=FUNCTION)],
            f"{API}/*/POST/orders",
            "missing",
        ),
    ],
)
def test_permission_of_an_api_is_compared_with_its_methods_and_routes(resources, source, expected):
    statement = for_service("apigateway.amazonaws.com", "lambda:InvokeFunction", FUNCTION)
    statement["Condition"] = {"ArnLike": {"AWS:SourceArn": source}}
    found = looked(resources, policies={FUNCTION: [statement]})
    told = {"granted": found.checked, "not known": len(found.unknown), "missing": len(found.missing)}
    assert {name for name, many in told.items() if many} - (
        {"granted"} if expected == "missing" else set()
    ) == {expected}


def test_managed_policies_and_a_resources_own_policy_count():
    resources = [function(), DESTINED]
    managed = {"managed": {"arn:m": [allow("sqs:*")]}, "attached": {"app": ["arn:m"]}}
    assert lacks(resources, **role(), **managed) == set()
    own = {"policies": {QUEUE: [allow("sqs:SendMessage", QUEUE, Principal={"AWS": ROLE})]}}
    assert lacks(resources, **role(), **own) == set()


def test_either_the_role_or_the_queues_policy_of_a_rule_suffices():
    resources = [RULES, declared("aws_cloudwatch_event_target", arn=QUEUE, role_arn=ROLE, **TARGET)]
    by_policy = {"policies": {QUEUE: [for_service("events.amazonaws.com", "sqs:SendMessage", QUEUE, RULE)]}}
    assert lacks(resources, **role(SEND)) == set()
    assert lacks(resources, **role(), **by_policy) == set()
    assert lacks(resources, **role(), policies={QUEUE: []}) == {(ROLE, "sqs:SendMessage", QUEUE)}


def test_what_cannot_be_decided_is_unknown_and_not_missing():
    condition = {"Condition": {"StringEquals": {"aws:SourceOrgID": "o-1"}}}
    policy = for_service("sns.amazonaws.com", "sqs:SendMessage", QUEUE) | condition
    found = looked(SUBSCRIBED, policies={QUEUE: [policy]})
    assert (found.missing, [need.action for need in found.unknown]) == ((), ["sqs:SendMessage"])
    assert looked(SUBSCRIBED).missing == ()  # the queue is somebody else's and can't be read
    assert looked(MAPPED).missing == ()  # so is the role


def test_an_explicit_refusal_is_a_lack():
    policy = [
        for_service("sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC),
        for_service("sns.amazonaws.com", "sqs:*", QUEUE) | {"Effect": "Deny"},
    ]
    assert lacks(SUBSCRIBED, policies={QUEUE: policy}) == {("sns.amazonaws.com", "sqs:SendMessage", QUEUE)}


def test_kinds_of_resources_that_are_not_looked_at_are_named():
    found = looked([declared("aws_kinesis_firehose_delivery_stream"), declared("aws_iot_topic_rule")])
    assert found.not_looked_at == ("delivery streams of Firehose", "IoT rules")


def test_a_definition_or_uri_that_is_no_such_thing_needs_nothing():
    machine_ = declared("aws_sfn_state_machine", role_arn=ROLE, arn=MACHINE, definition="{")
    api = declared("aws_apigatewayv2_integration", api_id="a", integration_uri="https://example.com")
    assert looked([machine_, api], **role()).missing == ()
