"""Reads how components are connected: notifications, subscriptions, rules, event source mappings."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from event_harness.results.sent import Sent
from event_harness.system.event_patterns import unmatched_field, unmatched_key
from event_harness.system.resources import Component

_MOST = 20  # subscriptions, rules, or mappings of one component that are read

_UNCONNECTED = {
    "s3": "it has no notification",
    "sns": "it has no subscription",
    "eventbridge": "it has no rule",
}

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Link:
    """One connection that leads out of a component.

    Attributes:
        target: ARN of the place that it leads to.
        kind: `notification`, `subscription`, `rule NAME`, `event source mapping`.
        enabled: It is in force. A rule without a target leads nowhere: its `target` is empty.
        filter: What it lets pass, in words; empty if it lets everything pass.
        unmatched: Why it does not let this input pass; None if it does, or if that isn't known.
    """

    target: str
    kind: str
    enabled: bool = True
    filter: str = ""
    unmatched: str | None = None

    def leads_to(self, component: Component) -> bool:
        """Whether it leads to this component."""
        if not self.target:
            return False
        if component.type == "lambda":
            name = str(component.function).rpartition(":function:")[2].partition(":")[0]
            return self.target.partition(":function:")[2].partition(":")[0] == name
        if component.type == "sqs":
            return self.target.rpartition(":")[2] == component.identifier.rpartition("/")[2]
        if component.type == "eventbridge" and self.target == "eventbridge":
            return True
        return self.target.rpartition(":")[2] == component.identifier.rpartition(":")[2]

    def __str__(self) -> str:
        if not self.target:
            return f"{self.kind} has no target"
        where = self.target.rpartition(":")[2]
        off = "" if self.enabled else ", disabled"
        return f"{self.kind} to {where}{off}" + (f": {self.filter}" if self.filter else "")


def links_of_bucket(client: Client, component: Component, key: str | None) -> list[Link]:
    """The notifications of a bucket. IAM: s3:GetBucketNotification."""
    answer = client("s3").get_bucket_notification_configuration(Bucket=component.bucket)
    links = []
    arns = {
        "LambdaFunctionConfigurations": "LambdaFunctionArn",
        "QueueConfigurations": "QueueArn",
        "TopicConfigurations": "TopicArn",
    }
    for kind, arn in arns.items():
        for one in answer.get(kind, []):
            rules = {
                str(rule["Name"]).lower(): str(rule["Value"])
                for rule in one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
            }
            told = [f"{name} {value!r}" for name, value in rules.items() if value]
            unmatched = unmatched_key(rules.get("prefix"), rules.get("suffix"), key) if key else None
            events = [str(event) for event in one.get("Events", [])]
            if not unmatched and events and not any("ObjectCreated" in event for event in events):
                unmatched = f"is for {', '.join(events)} only"
            links.append(
                Link(
                    one[arn],
                    "notification",
                    filter=f"keys with {' and '.join(told)}" if told else "",
                    unmatched=unmatched,
                )
            )
    if "EventBridgeConfiguration" in answer:
        links.append(Link("eventbridge", "notification"))
    return links


def links_of_topic(client: Client, component: Component, sent: Sent | None) -> list[Link]:
    """The subscriptions of a topic. IAM: sns:ListSubscriptionsByTopic, sns:GetSubscriptionAttributes."""
    sns = client("sns")
    answer = sns.list_subscriptions_by_topic(TopicArn=component.topic_arn)
    links = []
    for one in islice(answer.get("Subscriptions", []), _MOST):
        arn = str(one["SubscriptionArn"])
        confirmed = arn.startswith("arn:")
        found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"] if confirmed else {}
        policy = _json(found.get("FilterPolicy"))
        scope = str(found.get("FilterPolicyScope") or "MessageAttributes")
        links.append(
            Link(
                str(one["Endpoint"]),
                "subscription",
                enabled=confirmed,
                filter=f"{scope} {json.dumps(policy)}" if policy else "",
                unmatched=_unmatched(policy, sent, "body" if scope == "MessageBody" else "attributes"),
            )
        )
    return links


def links_of_bus(client: Client, component: Component, sent: Sent | None) -> list[Link]:
    """The rules of a bus, and their targets. IAM: events:ListRules, events:ListTargetsByRule."""
    events = client("events")
    links = []
    for rule in islice(events.list_rules(EventBusName=component.bus).get("Rules", []), _MOST):
        pattern = _json(rule.get("EventPattern"))
        if not pattern:
            continue  # a schedule
        targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=component.bus).get(
            "Targets", []
        )
        links += [
            Link(
                str(target.get("Arn") or ""),
                f"rule {rule['Name']}",
                enabled=rule.get("State", "ENABLED") != "DISABLED",
                filter=f"events {json.dumps(pattern)}",
                unmatched=_unmatched(pattern, sent, "event"),
            )
            for target in targets or [{}]
        ]
    return links


def links_of_source(client: Client, arn: str, sent: Sent | None) -> list[Link]:
    """The event source mappings of a queue or a stream. IAM: lambda:ListEventSourceMappings."""
    answer = client("lambda").list_event_source_mappings(EventSourceArn=arn)
    links = []
    for one in islice(answer.get("EventSourceMappings", []), _MOST):
        patterns = [
            pattern
            for criterion in one.get("FilterCriteria", {}).get("Filters", [])
            if (pattern := _json(criterion.get("Pattern")))
        ]
        reasons = [_unmatched(pattern, sent, "record") for pattern in patterns]
        links.append(
            Link(
                str(one["FunctionArn"]),
                "event source mapping",
                enabled=str(one.get("State", "Enabled")) not in ("Disabled", "Disabling"),
                filter=" or ".join(f"records {json.dumps(pattern)}" for pattern in patterns),
                unmatched=reasons[0] if reasons and all(reasons) else None,
            )
        )
    return links


def _unmatched(pattern: Mapping[str, Any], sent: Sent | None, part: str) -> str | None:
    """The field of this input that a pattern doesn't match; None if all match, or if it isn't known."""
    if not pattern or sent is None or part not in sent.filtered:
        return None
    return unmatched_field(pattern, sent.filtered[part])


def _json(text: object) -> dict[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) and text else None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def is_linked(source: Component, target: Component) -> bool:
    """Whether a connection from one component to another would be among those that are read.

    A queue or a stream is read by functions, and by pipes and others that this doesn't look for.
    """
    if source.type in ("sqs", "dynamodb", "kinesis"):
        return target.type == "lambda"
    return source.type in ("sns", "eventbridge") or target.type in ("lambda", "sqs", "sns", "eventbridge")


def stops(links: list[Link], component: Component, source: str) -> Iterator[str]:
    """Why no link leads this input to a component; nothing if one does.

    Args:
        links: All links out of the component before it.
        component: Where the input should come.
        source: Type of the component before it.
    """
    leading = [link for link in links if link.leads_to(component)]
    if not links:
        yield _UNCONNECTED.get(source, "no event source mapping reads it")
    elif not leading:
        yield f"none leads to {component.name}: {'; '.join(map(str, links[:3]))}"
    elif not any(link.enabled for link in leading):
        kind = leading[0].kind
        yield f"its {kind} {'is not confirmed' if kind == 'subscription' else 'is disabled'}"
    elif all(link.unmatched or not link.enabled for link in leading):
        link = next(link for link in leading if link.unmatched)
        yield f"its {link.kind} {_refuses(link)}"


def _refuses(link: Link) -> str:
    reason = str(link.unmatched)
    return reason if link.kind == "notification" else f"filters it out: {reason}"
