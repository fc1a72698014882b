"""Reads what calls functions and topics, and is no component that the harness can look into."""

from collections.abc import Iterator
from typing import Any

from event_harness.system.graph.building import Building, Reader
from event_harness.system.graph.state import Resource, blocks

FUNCTION = "aws_lambda_function"
TARGETS = "aws_lb_target_group"


def user_pool(resource: Resource, building: Building) -> None:
    """A Cognito user pool: its triggers."""
    own = building.at_resource(resource)
    for one in resource.blocks("lambda_config"):
        for name, value in one.items():
            if isinstance(value, str) and ":function:" in value:
                building.connect(own, building.at(value), f"trigger {name}", resource)


def receipt_rule(resource: Resource, building: Building) -> None:
    """A rule of SES about received mail."""
    own = building.at_resource(resource)
    for action in ("lambda_action", "sns_action", "s3_action"):
        for one in resource.blocks(action):
            for place in (one.get("function_arn"), one.get("topic_arn")):
                building.connect(own, building.at(place), "received mail", resource)
            building.connect(
                own, building.at(one.get("bucket_name"), "aws_s3_bucket"), "received mail", resource
            )


def data_source(resource: Resource, building: Building) -> None:
    """A data source of an AppSync API."""
    own = building.at(resource.values.get("api_id"), "aws_appsync_graphql_api")
    kind = f"data source {resource.text('name')}".strip()
    for one in resource.blocks("lambda_config"):
        building.connect(own, building.at(one.get("function_arn"), FUNCTION), kind, resource)
    for one in resource.blocks("dynamodb_config"):
        building.connect(own, building.at(one.get("table_name"), "aws_dynamodb_table"), kind, resource)
    for one in resource.blocks("event_bridge_config"):
        building.connect(
            own, building.at(one.get("event_bus_arn"), "aws_cloudwatch_event_bus"), kind, resource
        )


def rotation(resource: Resource, building: Building) -> None:
    """The function that rotates a secret."""
    secret = building.at(resource.values.get("secret_id"), "aws_secretsmanager_secret")
    target = building.at(resource.values.get("rotation_lambda_arn"), FUNCTION)
    building.connect(secret, target, "rotation", resource)


def load_balancer_target(resource: Resource, building: Building) -> None:
    """A function behind a load balancer."""
    target_id = str(resource.values.get("target_id") or "")
    if ":function:" not in target_id:
        return
    group = resource.values.get("target_group_arn")
    balancers = {
        listener.values.get("load_balancer_arn")
        for listener in _listeners(building, group)
        if listener.values.get("load_balancer_arn")
    }
    for balancer in sorted(map(str, balancers)) or [str(group)]:
        building.connect(
            building.at(balancer, "aws_lb", TARGETS), building.at(target_id), "target group", resource
        )


def _listeners(building: Building, group: object) -> Iterator[Resource]:
    """The listeners that forward to a target group, by themselves or by a rule."""
    all_ = {one.text("arn"): one for one in building.of_type("aws_lb_listener", "aws_alb_listener")}
    for listener in all_.values():
        if group in _forwarded(listener, "default_action"):
            yield listener
    for rule in building.of_type("aws_lb_listener_rule", "aws_alb_listener_rule"):
        found = all_.get(rule.text("listener_arn"))
        if found is not None and group in _forwarded(rule, "action"):
            yield found


def _forwarded(resource: Resource, block: str) -> Iterator[Any]:
    for action in resource.blocks(block):
        yield action.get("target_group_arn")
        for forward in blocks(action, "forward"):
            for one in blocks(forward, "target_group"):
                yield one.get("arn")


READERS: dict[str, Reader] = {
    "aws_cognito_user_pool": user_pool,
    "aws_ses_receipt_rule": receipt_rule,
    "aws_appsync_datasource": data_source,
    "aws_secretsmanager_secret_rotation": rotation,
    "aws_lb_target_group_attachment": load_balancer_target,
    "aws_alb_target_group_attachment": load_balancer_target,
}
