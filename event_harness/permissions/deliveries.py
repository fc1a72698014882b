"""What services must be allowed to do in the policies of queues, topics, functions and keys."""

import json
from collections.abc import Iterable, Iterator, Mapping

from event_harness.permissions import api_paths
from event_harness.permissions.blocks import text, within
from event_harness.permissions.need import Need, for_role, trust
from event_harness.permissions.targets import actions_on, function_of, service_of
from event_harness.system.graph.state import Resource

_POLICIES = ("sqs", "sns", "lambda")  # services whose resources have policies of their own
_TRIGGERS = "lambda_config"
_CREDENTIALS = ("credentials_arn", "credentials", "authorizer_credentials_arn", "authorizer_credentials")


def needs(resources: Iterable[Resource]) -> Iterator[Need]:
    """What the notifications, subscriptions, rules and APIs among the resources need."""
    known = list(resources)
    rules = {
        (one.text("event_bus_name") or "default", one.text("name")): one.text("arn")
        for one in known
        if one.type == "aws_cloudwatch_event_rule"
    }
    for one in known:
        match one.type:
            case "aws_s3_bucket_notification":
                yield from _bucket(one)
            case "aws_sns_topic_subscription":
                yield from _subscription(one)
            case "aws_cloudwatch_event_target":
                bus = one.text("event_bus_name").rpartition("/")[2] or "default"
                yield from _rule(one, rules.get((bus, one.text("rule")), ""))
            case "aws_apigatewayv2_integration":
                yield from _integration(one, api_paths.of_routes(one, known))
            case "aws_api_gateway_integration":
                yield from _integration(one, api_paths.of_method(one, known))
            case "aws_apigatewayv2_authorizer" | "aws_api_gateway_authorizer":
                yield from _integration(one, [f"authorizers/{one.text('id') or '*'}"])
            case "aws_cloudwatch_log_subscription_filter":
                yield from _log_filter(one)
            case "aws_cognito_user_pool":
                yield from _triggers(one)


def delivery(
    address: str, service: str, source: str, target: str, *, for_failures: bool = False
) -> list[Need]:
    """What a service needs to send an event to a queue, topic or function without a role.

    Args:
        address: the resource of the configuration that makes it necessary.
        service: the service, such as `sns.amazonaws.com`.
        source: the ARN of what the service acts for.
        target: the ARN of the queue, topic or function.
        for_failures: the service sends there only what it could not deliver.
    """
    if service_of(target) not in _POLICIES:
        return []
    action = actions_on(target)[0]
    return [Need(address, action, target, service=service, source=source, for_failures=for_failures)]


def _bucket(one: Resource) -> Iterator[Need]:
    source = f"arn:aws:s3:::{one.text('bucket')}"
    for block, name in (
        ("queue", "queue_arn"),
        ("topic", "topic_arn"),
        ("lambda_function", "lambda_function_arn"),
    ):
        for found in within(one, block):
            yield from delivery(one.address, "s3.amazonaws.com", source, text(found, name))


def _subscription(one: Resource) -> Iterator[Need]:
    topic, target = one.text("topic_arn"), one.text("endpoint")
    yield from delivery(one.address, "sns.amazonaws.com", topic, target)
    letters = _dead_letters(one.text("redrive_policy"))
    yield from delivery(one.address, "sns.amazonaws.com", topic, letters, for_failures=True)
    if role := one.text("subscription_role_arn"):
        yield from trust(one.address, role, "sns.amazonaws.com")
        yield from _by_role(one.address, role, target)


def _dead_letters(policy: str) -> str:
    try:
        found = json.loads(policy or "{}")
    except ValueError:
        return ""
    return text(found, "deadLetterTargetArn") if isinstance(found, Mapping) else ""


def _rule(one: Resource, rule: str) -> Iterator[Need]:
    target, role = one.text("arn"), one.text("role_arn")
    service = "events.amazonaws.com"
    for found in within(one, "dead_letter_config"):
        yield from delivery(one.address, service, rule, text(found, "arn"), for_failures=True)
    by_policy = delivery(one.address, service, rule, target)
    if not role:
        yield from by_policy
        return
    yield from trust(one.address, role, service)
    for need in _by_role(one.address, role, target):
        otherwise = by_policy[0] if by_policy else None
        yield Need(
            **{name: getattr(need, name) for name in need.__dataclass_fields__ if name != "otherwise"},
            otherwise=otherwise,
        )


def _by_role(address: str, role: str, target: str) -> list[Need]:
    actions = actions_on(target)
    found = for_role(address, role, actions[:1], target)
    return [Need(one.address, one.action, one.resource, role=one.role, instead=actions[1:]) for one in found]


def _integration(one: Resource, paths: list[str]) -> Iterator[Need]:
    """What an API needs to call a function.

    Args:
        one: the integration or authorizer.
        paths: how AWS names the calls behind the API's id, as far as it is known: `*/POST/orders`.
    """
    function = function_of(one.text("integration_uri") or one.text("uri") or one.text("authorizer_uri"))
    role = next((one.text(name) for name in _CREDENTIALS if one.text(name)), "")
    if role:
        yield from trust(one.address, role, "apigateway.amazonaws.com")
        if function:
            yield from _by_role(one.address, role, function)
    elif function:
        region, account = function.split(":")[3:5]
        api = f"arn:aws:execute-api:{region}:{account}:{one.text('api_id') or one.text('rest_api_id')}"
        for path in paths:
            yield from delivery(one.address, "apigateway.amazonaws.com", f"{api}/{path}", function)


def _log_filter(one: Resource) -> Iterator[Need]:
    target, role = one.text("destination_arn"), one.text("role_arn")
    if role:
        yield from trust(one.address, role, "logs.amazonaws.com")
        yield from _by_role(one.address, role, target)
    elif service_of(target) == "lambda":
        region, account = target.split(":")[3:5]
        source = f"arn:aws:logs:{region}:{account}:log-group:{one.text('log_group_name')}:*"
        regional = Need(
            one.address, "lambda:InvokeFunction", target, "", f"logs.{region}.amazonaws.com", source
        )
        yield Need(
            one.address, "lambda:InvokeFunction", target, "", "logs.amazonaws.com", source, otherwise=regional
        )


def _triggers(one: Resource) -> Iterator[Need]:
    for found in within(one, _TRIGGERS):
        for value in found.values():
            if isinstance(value, str) and service_of(value) == "lambda":
                yield from delivery(one.address, "cognito-idp.amazonaws.com", one.text("arn"), value)
