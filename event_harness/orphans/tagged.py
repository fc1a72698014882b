"""Every resource on a target, with its tags."""

from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from event_harness.aws.ownership import TAG_DEPLOYMENT, deployment_ids_in
from event_harness.aws.targets import Target
from event_harness.orphans.inventory import Found, inventory, is_gone, pages

Tags = dict[str, str]


def tagged(target: Target) -> tuple[list[tuple[Found, Tags]], dict[str, Tags]]:
    """The resources of the inventory with their tags, and everything else that carries a deployment's tag.

    The tagging API doesn't know all types (an emulator's knows fewer), and it lags behind. If its answer
    lacks a resource, the resource's own service is asked. This is done for types that the tagging API doesn't
    know, and for names that hold a deployment's id. So a resource with somebody else's tags never counts as
    untagged.

    IAM: tag:GetResources, s3:GetBucketTagging, sqs:ListQueueTags, sns:ListTagsForResource, lambda:ListTags,
    dynamodb:DescribeTable, dynamodb:ListTagsOfResource, events:ListTagsForResource,
    logs:ListTagsForResource, cloudwatch:ListTagsForResource, iam:ListRoleTags, iam:ListPolicyTags,
    kinesis:ListTagsForStream, and those of `inventory`.

    Returns:
        First the resources of the inventory with their tags, without those whose tags may not be read.
        The tags may be empty for resources that belong to no deployment. Second, the tags of resources of
        other types, by ARN.
    """
    pages_of_it = pages(
        target.client("resourcegroupstaggingapi"),
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=[{"Key": TAG_DEPLOYMENT}],
    )
    index = {item["ResourceARN"]: _plain(item["Tags"]) for item in pages_of_it}
    by_resource = {_resource(arn): tags for arn, tags in index.items()}
    known = []
    for found in inventory(target):
        tags = by_resource.get(_resource(found.arn) if found.arn else _named(found))
        if tags is None:
            tags = _ask(target, found) if found.type in _NOT_INDEXED or deployment_ids_in(found.name) else {}
        if tags is not None:
            known.append((found, tags))
    # The index lags behind: a resource of a known type that the inventory doesn't find is gone.
    return known, {arn: tags for arn, tags in index.items() if not _is_known(*_resource(arn))}


# How an ARN names the types of the inventory: the service, and the text before the name.
_PREFIXES = (
    ("s3", ""),
    ("sqs", ""),
    ("sns", ""),
    ("lambda", "function:"),
    ("lambda", "event-source-mapping:"),
    ("dynamodb", "table/"),
    ("kinesis", "stream/"),
    ("events", "event-bus/"),
    ("events", "rule/"),
    ("logs", "log-group:"),
    ("cloudwatch", "alarm:"),
    ("iam", "role/"),
    ("iam", "policy/"),
)


def _is_known(service: str, resource: str) -> bool:
    return any(
        service == known and resource.startswith(prefix) and (prefix or "/" not in resource)
        for known, prefix in _PREFIXES
    )


def _resource(arn: str) -> tuple[str, str]:
    """Service and resource of an ARN. Account and region are always the target's."""
    _, _, service, _, _, resource = arn.split(":", 5)
    return service, resource


def _named(found: Found) -> tuple[str, str]:
    """The same for a resource that was listed without its ARN."""
    return {
        "aws_s3_bucket": ("s3", found.name),
        "aws_sqs_queue": ("sqs", found.name.rsplit("/", 1)[-1]),
        "aws_dynamodb_table": ("dynamodb", f"table/{found.name}"),
        "aws_kinesis_stream": ("kinesis", f"stream/{found.name}"),
    }.get(found.type, ("", found.name))


def _ask(target: Target, found: Found) -> Tags | None:
    """The tags from the resource's own service; None if they can't be known."""
    try:
        return _ASK[found.type](target.client, found)
    except ClientError as error:
        # It is gone, or we may not read it. We could read it if we had created it, so it isn't ours.
        if is_gone(error) or error.response["Error"]["Code"].startswith(
            ("AccessDenied", "AuthorizationError")
        ):
            return None
        raise


def _plain(tags: Iterable[dict[str, str]]) -> Tags:
    return {tag["Key"]: tag["Value"] for tag in tags}


Client = Callable[[str], Any]


def _bucket(client: Client, found: Found) -> Tags:
    try:
        return _plain(client("s3").get_bucket_tagging(Bucket=found.name)["TagSet"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchTagSet":
            return {}
        raise


def _queue(client: Client, found: Found) -> Tags:
    return dict(client("sqs").list_queue_tags(QueueUrl=found.name).get("Tags", {}))


def _topic(client: Client, found: Found) -> Tags:
    return _plain(client("sns").list_tags_for_resource(ResourceArn=found.arn)["Tags"])


def _table(client: Client, found: Found) -> Tags:
    tables = client("dynamodb")
    arn = tables.describe_table(TableName=found.name)["Table"]["TableArn"]
    return _plain(pages(tables, "list_tags_of_resource", "Tags", ResourceArn=arn))


def _function(client: Client, found: Found) -> Tags:
    return dict(client("lambda").list_tags(Resource=found.arn)["Tags"])


def _event_source_mapping(client: Client, found: Found) -> Tags:
    """The tags of its function; none if the function is gone."""
    function = ":".join(found.name.split()[1].split(":")[:7])  # without version or alias
    try:
        return dict(client("lambda").list_tags(Resource=function)["Tags"])
    except ClientError as error:
        if is_gone(error):
            return {}
        raise


def _of_events(client: Client, found: Found) -> Tags:
    return _plain(client("events").list_tags_for_resource(ResourceARN=found.arn)["Tags"])


def _log_group(client: Client, found: Found) -> Tags:
    return dict(client("logs").list_tags_for_resource(resourceArn=found.arn)["tags"])


def _alarm(client: Client, found: Found) -> Tags:
    return _plain(client("cloudwatch").list_tags_for_resource(ResourceARN=found.arn)["Tags"])


def _stream(client: Client, found: Found) -> Tags:
    return _plain(client("kinesis").list_tags_for_stream(StreamName=found.name)["Tags"])


def _role(client: Client, found: Found) -> Tags:
    return _plain(pages(client("iam"), "list_role_tags", "Tags", RoleName=found.name))


def _policy(client: Client, found: Found) -> Tags:
    return _plain(pages(client("iam"), "list_policy_tags", "Tags", PolicyArn=found.arn))


# Types that the tagging API, on AWS or on an emulator, leaves out.

_NOT_INDEXED: dict[str, Callable[[Client, Found], Tags]] = {
    "aws_cloudwatch_log_group": _log_group,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_cloudwatch_composite_alarm": _alarm,
    "aws_kinesis_stream": _stream,
    "aws_iam_role": _role,
    "aws_iam_policy": _policy,
}
_ASK = _NOT_INDEXED | {
    "aws_s3_bucket": _bucket,
    "aws_sqs_queue": _queue,
    "aws_sns_topic": _topic,
    "aws_dynamodb_table": _table,
    "aws_lambda_function": _function,
    "aws_lambda_event_source_mapping": _event_source_mapping,
    "aws_cloudwatch_event_bus": _of_events,
    "aws_cloudwatch_event_rule": _of_events,
}
