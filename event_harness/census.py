"""What is there: asks every service that the harness works with, without believing any state or tag."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from event_harness.targets import Target


@dataclass(frozen=True, order=True)
class Found:
    """One resource that exists: its Terraform type, and the name or ARN by which its service knows it."""

    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


def census(target: Target, *, part: str = "") -> list[Found]:
    """Every resource in the target's account and region whose name holds `part`.

    What AWS itself keeps in each account (the default event bus, service-linked roles) doesn't count.

    IAM: s3:ListAllMyBuckets, lambda:ListFunctions, lambda:ListEventSourceMappings, sqs:ListQueues,
    sns:ListTopics, dynamodb:ListTables, logs:DescribeLogGroups, iam:ListRoles, events:ListEventBuses,
    events:ListRules, kinesis:ListStreams.
    """
    found = {item for ask in _SERVICES for item in ask(target.client) if part in item.name}
    return sorted(found)


Client = Callable[[str], Any]


def _pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, [])


def _buckets(client: Client) -> Iterator[Found]:
    for bucket in client("s3").list_buckets()["Buckets"]:
        yield Found("aws_s3_bucket", bucket["Name"])


def _functions(client: Client) -> Iterator[Found]:
    for function in _pages(client("lambda"), "list_functions", "Functions"):
        yield Found("aws_lambda_function", function["FunctionName"])
    for mapping in _pages(client("lambda"), "list_event_source_mappings", "EventSourceMappings"):
        yield Found("aws_lambda_event_source_mapping", f"{mapping['UUID']} {mapping.get('FunctionArn', '')}")


def _queues(client: Client) -> Iterator[Found]:
    for url in _pages(client("sqs"), "list_queues", "QueueUrls"):
        yield Found("aws_sqs_queue", url)


def _topics(client: Client) -> Iterator[Found]:
    for topic in _pages(client("sns"), "list_topics", "Topics"):
        yield Found("aws_sns_topic", topic["TopicArn"])


def _tables(client: Client) -> Iterator[Found]:
    for name in _pages(client("dynamodb"), "list_tables", "TableNames"):
        yield Found("aws_dynamodb_table", name)


def _log_groups(client: Client) -> Iterator[Found]:
    for group in _pages(client("logs"), "describe_log_groups", "logGroups"):
        yield Found("aws_cloudwatch_log_group", group["logGroupName"])


def _roles(client: Client) -> Iterator[Found]:
    for role in _pages(client("iam"), "list_roles", "Roles"):
        if not role["Path"].startswith("/aws-service-role/"):
            yield Found("aws_iam_role", role["RoleName"])


def _buses_and_rules(client: Client) -> Iterator[Found]:
    events = client("events")
    for bus in events.list_event_buses()["EventBuses"]:
        if bus["Name"] != "default":
            yield Found("aws_cloudwatch_event_bus", bus["Name"])
        for rule in _pages(events, "list_rules", "Rules", EventBusName=bus["Name"]):
            yield Found("aws_cloudwatch_event_rule", f"{bus['Name']}/{rule['Name']}")


def _streams(client: Client) -> Iterator[Found]:
    for name in _pages(client("kinesis"), "list_streams", "StreamNames"):
        yield Found("aws_kinesis_stream", name)


_SERVICES = (
    _buckets,
    _functions,
    _queues,
    _topics,
    _tables,
    _log_groups,
    _roles,
    _buses_and_rules,
    _streams,
)
