"""Reads resource policies: which service may call a function, or send to a queue or a topic.

A permission is no connection. But where the connection itself is missing, or is of a kind that the harness
doesn't know, the permission tells what should lead there.
"""

from event_harness.system.graph.building import Building
from event_harness.system.graph.policies import is_generic, statements
from event_harness.system.graph.references import arn_parts
from event_harness.system.graph.state import Resource

_POLICIES = {
    "aws_sqs_queue": ("arn", "policy"),
    "aws_sqs_queue_policy": ("queue_url", "policy"),
    "aws_sns_topic": ("arn", "policy"),
    "aws_sns_topic_policy": ("arn", "policy"),
}
_OF_POLICIES = ("s3", "sns", "events")


def read(building: Building) -> None:
    """Add an edge for each permission between two nodes that nothing connects."""
    for one in list(building.of_type("aws_lambda_permission")):
        target = building.at(one.values.get("function_name"), "aws_lambda_function")
        _allow(building, one.text("source_arn"), target, one)
    policies = [(one, _target(building, one)) for one in building.of_type(*_POLICIES)]
    # A queue or a topic repeats the policy that another resource gives it, as it was before the last apply.
    given = {target for one, target in policies if one.type.endswith("_policy")}
    for one, target in policies:
        if target in given and not one.type.endswith("_policy"):
            continue
        for statement in statements(one.values.get(_POLICIES[one.type][1])):
            for arn in statement.sources if statement.allows else ():
                if arn_parts(arn)["service"] in _OF_POLICIES:
                    _allow(building, arn, target, one)


def _target(building: Building, one: Resource) -> str | None:
    return building.at(one.values.get(_POLICIES[one.type][0]), "aws_sqs_queue", "aws_sns_topic")


def _allow(building: Building, arn: str, target: str | None, by: Resource) -> None:
    if not arn or is_generic(arn):
        return
    source = _source(building, arn)
    if source and target and source != target and not building.connected(source, target):
        building.connect(
            source, target, "may invoke" if "lambda" in by.type else "may send", by, known="allowed"
        )


def _source(building: Building, arn: str) -> str | None:
    """The node of what calls: an API by any of its routes, a bus by its rule."""
    parts = arn_parts(arn)
    if parts["service"] == "execute-api":
        api = building.references.find(
            parts["resource"].partition("/")[0], "aws_api_gateway_rest_api", "aws_apigatewayv2_api"
        )
        return building.at_resource(api) if api else None
    if parts["service"] == "events" and parts["resource"].startswith("rule/"):
        rule = building.references.find(arn)
        if rule is None:
            return None
        if rule.text("schedule_expression"):
            return rule.address if rule.address in building.nodes else None
        return building.bus(str(rule.values.get("event_bus_name") or "default"))
    if parts["service"] == "logs":
        group = parts["resource"].removeprefix("log-group:").removesuffix(":*")
        return next((one.address for one in building.nodes.values() if one.log_group == group), None)
    return building.at(arn)
