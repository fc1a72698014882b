"""Every resource that exists: asks each service that the harness knows, and trusts no state and no tag."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from event_harness.aws.targets import Target


@dataclass(frozen=True, order=True)
class Found:
    """An existing resource.

    Attributes:
        type: its Terraform type.
        name: the name, URL or ARN that its service uses for it.
        arn: its ARN, if the service's list has it.
    """

    type: str
    name: str
    arn: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


def inventory(target: Target, *, part: str = "") -> list[Found]:
    """Every resource in the target's account and region whose name holds `part`.

    AWS's own resources (the default event bus, service-linked roles) are left out.

    IAM: s3:ListAllMyBuckets, lambda:ListFunctions, lambda:ListEventSourceMappings, sqs:ListQueues,
    sns:ListTopics, dynamodb:ListTables, logs:DescribeLogGroups, iam:ListRoles, iam:ListPolicies,
    events:ListEventBuses, events:ListRules, kinesis:ListStreams, cloudwatch:DescribeAlarms.
    """
    found = {item for ask in _SERVICES for item in ask(target.client) if part in item.name}
    return sorted(found)


Client = Callable[[str], Any]

_GONE = (
    "404",
    "NoSuchBucket",
    "NoSuchUpload",
    "NoSuchEntity",
    "NotFound",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
)


def is_gone(error: ClientError) -> bool:
    """Whether an error says that the resource doesn't exist any more."""
    return error.response["Error"]["Code"] in _GONE


def pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    """The items of a paginated list."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, [])


def _buckets(client: Client) -> Iterator[Found]:
    for bucket in client("s3").list_buckets()["Buckets"]:
        yield Found("aws_s3_bucket", bucket["Name"])


def _functions(client: Client) -> Iterator[Found]:
    for function in pages(client("lambda"), "list_functions", "Functions"):
        yield Found("aws_lambda_function", function["FunctionName"], function["FunctionArn"])


def _event_source_mappings(client: Client) -> Iterator[Found]:
    for mapping in pages(client("lambda"), "list_event_source_mappings", "EventSourceMappings"):
        yield Found("aws_lambda_event_source_mapping", f"{mapping['UUID']} {mapping.get('FunctionArn', '')}")


def _queues(client: Client) -> Iterator[Found]:
    for url in pages(client("sqs"), "list_queues", "QueueUrls"):
        yield Found("aws_sqs_queue", url)


def _topics(client: Client) -> Iterator[Found]:
    for topic in pages(client("sns"), "list_topics", "Topics"):
        yield Found("aws_sns_topic", topic["TopicArn"], topic["TopicArn"])


def _tables(client: Client) -> Iterator[Found]:
    for name in pages(client("dynamodb"), "list_tables", "TableNames"):
        yield Found("aws_dynamodb_table", name)


def _log_groups(client: Client) -> Iterator[Found]:
    for group in pages(client("logs"), "describe_log_groups", "logGroups"):
        yield Found("aws_cloudwatch_log_group", group["logGroupName"], group["arn"].removesuffix(":*"))


def _alarms(client: Client) -> Iterator[Found]:
    for kind, type_ in (("Metric", "metric_alarm"), ("Composite", "composite_alarm")):
        alarms = pages(client("cloudwatch"), "describe_alarms", f"{kind}Alarms", AlarmTypes=[f"{kind}Alarm"])
        for alarm in alarms:
            yield Found(f"aws_cloudwatch_{type_}", alarm["AlarmName"], alarm["AlarmArn"])


def _roles(client: Client) -> Iterator[Found]:
    for role in pages(client("iam"), "list_roles", "Roles"):
        if not role["Path"].startswith("/aws-service-role/"):
            yield Found("aws_iam_role", role["RoleName"], role["Arn"])


def _policies(client: Client) -> Iterator[Found]:
    for policy in pages(client("iam"), "list_policies", "Policies", Scope="Local"):
        yield Found("aws_iam_policy", policy["Arn"], policy["Arn"])


def _buses_and_rules(client: Client) -> Iterator[Found]:
    events = client("events")
    for bus in _event_buses(events):
        if bus["Name"] != "default":
            yield Found("aws_cloudwatch_event_bus", bus["Name"], bus["Arn"])
        for rule in pages(events, "list_rules", "Rules", EventBusName=bus["Name"]):
            yield Found("aws_cloudwatch_event_rule", f"{bus['Name']}/{rule['Name']}", rule["Arn"])


def _event_buses(events: Any) -> Iterator[Any]:
    page = events.list_event_buses()  # boto3 has no paginator for it
    yield from page["EventBuses"]
    while page.get("NextToken"):
        page = events.list_event_buses(NextToken=page["NextToken"])
        yield from page["EventBuses"]


def _streams(client: Client) -> Iterator[Found]:
    for name in pages(client("kinesis"), "list_streams", "StreamNames"):
        yield Found("aws_kinesis_stream", name)


_SERVICES = (
    _buckets,
    _functions,
    _event_source_mappings,
    _queues,
    _topics,
    _tables,
    _log_groups,
    _alarms,
    _roles,
    _policies,
    _buses_and_rules,
    _streams,
)
