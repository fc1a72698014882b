"""Everything that exists on a target, with its tags."""

from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from event_harness.census import Found, census, pages
from event_harness.runs import TAG_RUN
from event_harness.targets import Target

Tags = dict[str, str]


def tagged(target: Target) -> tuple[list[tuple[Found, Tags]], dict[str, Tags]]:
    """What the census finds, each with its tags, and what else carries a run's tag.

    The tagging API knows most types, but not all, and an emulator's fewer: what isn't in its answer and
    of such a type is asked of its own service.

    IAM: tag:GetResources, logs:ListTagsForResource, cloudwatch:ListTagsForResource, iam:ListRoleTags,
    iam:ListPolicyTags, kinesis:ListTagsForStream, and those of `census`.

    Returns:
        Found resources with their tags (empty for those that are not tagged as a run's), and the tags of
        resources of other types by ARN.
    """
    pages_of_it = pages(
        target.client("resourcegroupstaggingapi"),
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=[{"Key": TAG_RUN}],
    )
    index = {item["ResourceARN"]: _plain(item["Tags"]) for item in pages_of_it}
    by_resource = {_resource(arn): tags for arn, tags in index.items()}
    known = []
    for found in census(target):
        tags = by_resource.get(_resource(found.arn) if found.arn else _named(found))
        if tags is None:
            tags = _ask(target, found)
        known.append((found, tags))
    # One of a type that the census knows and doesn't find is gone: the index lags behind.
    return known, {arn: tags for arn, tags in index.items() if not _is_known(*_resource(arn))}


# How an ARN names what the census knows: service, and what stands before the name.
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
    """Service and resource of an ARN; its account and region are those of the target."""
    _, _, service, _, _, resource = arn.split(":", 5)
    return service, resource


def _named(found: Found) -> tuple[str, str]:
    """The same of what is listed without its ARN."""
    return {
        "aws_s3_bucket": ("s3", found.name),
        "aws_sqs_queue": ("sqs", found.name.rsplit("/", 1)[-1]),
        "aws_dynamodb_table": ("dynamodb", f"table/{found.name}"),
        "aws_kinesis_stream": ("kinesis", f"stream/{found.name}"),
    }.get(found.type, ("", found.name))


def _ask(target: Target, found: Found) -> Tags:
    ask = _ASK.get(found.type)
    try:
        return _plain(ask(target.client, found)) if ask else {}
    except ClientError as error:
        # Gone meanwhile; or whoever may not ask of it hasn't made it: other people's roles are listed too.
        if any(
            word in error.response["Error"]["Code"] for word in ("NotFound", "NoSuchEntity", "AccessDenied")
        ):
            return {}
        raise


def _plain(tags: Iterable[dict[str, str]]) -> Tags:
    return {tag["Key"]: tag["Value"] for tag in tags}


Client = Callable[[str], Any]


def _log_group(client: Client, found: Found) -> Iterable[dict[str, str]]:
    tags = client("logs").list_tags_for_resource(resourceArn=found.arn)["tags"]
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _alarm(client: Client, found: Found) -> Iterable[dict[str, str]]:
    tags: list[dict[str, str]] = client("cloudwatch").list_tags_for_resource(ResourceARN=found.arn)["Tags"]
    return tags


def _stream(client: Client, found: Found) -> Iterable[dict[str, str]]:
    tags: list[dict[str, str]] = client("kinesis").list_tags_for_stream(StreamName=found.name)["Tags"]
    return tags


def _role(client: Client, found: Found) -> Iterable[dict[str, str]]:
    return pages(client("iam"), "list_role_tags", "Tags", RoleName=found.name)


def _policy(client: Client, found: Found) -> Iterable[dict[str, str]]:
    return pages(client("iam"), "list_policy_tags", "Tags", PolicyArn=found.arn)


_ASK = {
    "aws_cloudwatch_log_group": _log_group,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_cloudwatch_composite_alarm": _alarm,
    "aws_kinesis_stream": _stream,
    "aws_iam_role": _role,
    "aws_iam_policy": _policy,
}
