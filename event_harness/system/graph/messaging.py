"""Reads queues, topics, buckets and buses: notifications, subscriptions, rules, redrive policies."""

from typing import Any

from event_harness.system.graph.building import Building, Reader, decoded, pattern
from event_harness.system.graph.model import Node
from event_harness.system.graph.state import Resource, blocks

QUEUE, TOPIC, BUCKET = "aws_sqs_queue", "aws_sns_topic", "aws_s3_bucket"
FUNCTION, BUS = "aws_lambda_function", "aws_cloudwatch_event_bus"


def queue(resource: Resource, building: Building) -> None:
    """A queue's own redrive policy."""
    _redrive(building, building.at_resource(resource), resource.values.get("redrive_policy"), resource)


def redrive_policy(resource: Resource, building: Building) -> None:
    """A redrive policy that is a resource of its own."""
    source = building.at(resource.values.get("queue_url"), QUEUE)
    _redrive(building, source, resource.values.get("redrive_policy"), resource)


def _redrive(building: Building, source: str | None, policy: object, by: Resource) -> None:
    told = decoded(policy)
    if isinstance(told, dict):
        building.fails_into(source, told.get("deadLetterTargetArn"), "dead-letter queue", by)


def bucket_notification(resource: Resource, building: Building) -> None:
    """A bucket's notifications."""
    source = building.at(resource.values.get("bucket"), BUCKET)
    kinds = {"lambda_function": "lambda_function_arn", "queue": "queue_arn", "topic": "topic_arn"}
    for block, arn in kinds.items():
        for one in resource.blocks(block):
            told = [
                f"{name} {value!r}" for name in ("prefix", "suffix") if (value := one.get(f"filter_{name}"))
            ]
            events = one.get("events")
            building.connect(
                source,
                building.at(one.get(arn)),
                "notification",
                resource,
                filters=[f"keys with {' and '.join(told)}"] if told else [],
                notes=[", ".join(events) if isinstance(events, list) else None],
            )
    if resource.values.get("eventbridge"):
        building.connect(source, building.bus("default"), "notification", resource)


def subscription(resource: Resource, building: Building) -> None:
    """A topic's subscription."""
    values = resource.values
    source = building.at(values.get("topic_arn"), TOPIC)
    target = building.at(values.get("endpoint"))
    policy = pattern(values.get("filter_policy"))
    scope = values.get("filter_policy_scope") or "MessageAttributes"
    protocol = values.get("protocol")
    own = protocol if protocol not in ("lambda", "sqs") else None
    building.connect(
        source,
        target,
        "subscription",
        resource,
        filters=[f"{scope} {policy}"] if policy else [],
        notes=["raw delivery" if values.get("raw_message_delivery") else None, own],
        enabled=not values.get("pending_confirmation"),
    )
    _redrive(building, source, values.get("redrive_policy"), resource)


def rule_target(resource: Resource, building: Building) -> None:
    """A target of an EventBridge rule, with the rule."""
    values = resource.values
    bus = building.bus(str(values.get("event_bus_name") or "default"))
    rule = _rule(building, str(values.get("rule") or ""), bus)
    target = building.at(values.get("arn"))
    told = rule.values if rule else {}
    notes = [
        "input transformed" if blocks(values, "input_transformer") else None,
        "fixed input" if values.get("input") else None,
        f"input {values['input_path']}" if values.get("input_path") else None,
    ]
    name = str(values.get("rule") or "")
    flags: dict[str, Any] = {"notes": notes, "enabled": _enabled(told)}
    if events := pattern(told.get("event_pattern")):
        building.connect(bus, target, f"rule {name}", resource, filters=[f"events {events}"], **flags)
    if rule and told.get("schedule_expression"):
        building.connect(schedule(rule, building), target, f"rule {name}", resource, **flags)
    if not told:
        building.connect(bus, target, f"rule {name}", resource, **flags)
    for letters in blocks(values, "dead_letter_config"):
        building.fails_into(bus, letters.get("arn"), f"dead-letter queue of rule {name}", resource)


def schedule(resource: Resource, building: Building) -> str:
    """The node of what sends events by the clock."""
    told = resource.text("schedule_expression")
    return building.add(Node(resource.address, "", resource.type, "other", resource.text("arn") or told))


def _rule(building: Building, name: str, bus: str) -> Resource | None:
    rules = [one for one in building.of_type("aws_cloudwatch_event_rule") if one.text("name") == name]
    for one in rules:
        if building.bus(str(one.values.get("event_bus_name") or "default")) == bus:
            return one
    return rules[0] if len(rules) == 1 else None


def _enabled(rule: Any) -> bool:
    return rule.get("state") != "DISABLED" and rule.get("is_enabled") is not False


READERS: dict[str, Reader] = {
    QUEUE: queue,
    "aws_sqs_queue_redrive_policy": redrive_policy,
    "aws_s3_bucket_notification": bucket_notification,
    "aws_sns_topic_subscription": subscription,
    "aws_cloudwatch_event_target": rule_target,
}
