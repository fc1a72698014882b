"""Deletes resources of every type in the inventory, each with its dependent resources, in a working order.

A resource that is already gone is no error: another sweep may run at the same time. botocore retries.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from event_harness.aws.targets import Target
from event_harness.orphans.inventory import Found, is_gone, pages

Client = Callable[[str], Any]

# Characters that an object key may hold, but the XML of a DeleteObjects request may not.
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def in_order(found: Iterable[Found]) -> list[Found]:
    """Sort resources for deletion: senders before receivers."""
    return sorted(found, key=lambda item: (list(_DELETE).index(item.type), item.name))


def remove(target: Target, found: Found) -> None:
    """Delete one resource with its contents and its dependent resources.

    IAM, by type: those of `empty_bucket`, s3:DeleteBucket; lambda:DeleteFunction,
    lambda:ListEventSourceMappings, lambda:DeleteEventSourceMapping, sns:ListSubscriptions, sns:Unsubscribe;
    events:ListTargetsByRule, events:RemoveTargets, events:DeleteRule, events:DeleteEventBus;
    sqs:DeleteQueue; sns:DeleteTopic; dynamodb:DeleteTable; kinesis:DeleteStream; logs:DeleteLogGroup;
    cloudwatch:DeleteAlarms; iam:ListRolePolicies, iam:DeleteRolePolicy, iam:ListAttachedRolePolicies,
    iam:DetachRolePolicy, iam:DeleteRole, iam:ListPolicyVersions, iam:DeletePolicyVersion, iam:DeletePolicy.

    Raises:
        ClientError: it can't be deleted.
    """
    try:
        _DELETE[found.type](target.client, found.name)
    except ClientError as error:
        if not is_gone(error):
            raise


def _event_source_mapping(client: Client, name: str) -> None:
    client("lambda").delete_event_source_mapping(UUID=name.split()[0])


def _function(client: Client, name: str) -> None:
    functions = client("lambda")
    for mapping in pages(functions, "list_event_source_mappings", "EventSourceMappings", FunctionName=name):
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    # A subscription is deleted with its topic, but the topic may belong to somebody else.
    for subscription in pages(client("sns"), "list_subscriptions", "Subscriptions"):
        if subscription["Endpoint"].endswith(f":function:{name}"):
            client("sns").unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    functions.delete_function(FunctionName=name)


def _rule(client: Client, name: str) -> None:
    events = client("events")
    bus, rule = name.rsplit("/", 1)
    targets = [t["Id"] for t in pages(events, "list_targets_by_rule", "Targets", Rule=rule, EventBusName=bus)]
    if targets:
        events.remove_targets(Rule=rule, EventBusName=bus, Ids=targets)
    events.delete_rule(Name=rule, EventBusName=bus)


def _bus(client: Client, name: str) -> None:
    client("events").delete_event_bus(Name=name)


def empty_bucket(target: Target, name: str) -> None:
    """Delete every object, version and unfinished upload of a bucket. A bucket that is gone counts as empty.

    IAM: s3:ListBucket, s3:ListBucketVersions, s3:DeleteObject, s3:DeleteObjectVersion,
    s3:ListBucketMultipartUploads, s3:AbortMultipartUpload.

    Raises:
        ClientError: it can't be listed, or an object can't be deleted.
    """
    try:
        _empty(target.client("s3"), name)
    except ClientError as error:
        if not is_gone(error):
            raise


def _bucket(client: Client, name: str) -> None:
    s3 = client("s3")
    _empty(s3, name)
    s3.delete_bucket(Bucket=name)


def _empty(s3: Any, name: str) -> None:
    # Objects first: MiniStack can't list versions while a key holds a control character.

    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        _delete_objects(s3, name, [{"Key": item["Key"]} for item in page.get("Contents", [])])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        there = page.get("Versions", []) + page.get("DeleteMarkers", [])
        _delete_objects(s3, name, [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in there])
    for upload in pages(s3, "list_multipart_uploads", "Uploads", Bucket=name):
        s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])


def _delete_objects(s3: Any, name: str, objects: list[dict[str, str]]) -> None:
    for item in objects:
        if _NO_XML.search(item["Key"]):
            s3.delete_object(Bucket=name, **item)
    others = [item for item in objects if not _NO_XML.search(item["Key"])]
    answer = s3.delete_objects(Bucket=name, Delete={"Objects": others, "Quiet": True}) if others else {}
    for refused in answer.get("Errors", []):
        said = f"{refused['Key']}: {refused.get('Message', '')}"
        raise ClientError({"Error": {"Code": refused["Code"], "Message": said}}, "DeleteObjects")


def _queue(client: Client, name: str) -> None:
    client("sqs").delete_queue(QueueUrl=name)


def _topic(client: Client, name: str) -> None:
    client("sns").delete_topic(TopicArn=name)


def _table(client: Client, name: str) -> None:
    client("dynamodb").delete_table(TableName=name)
    client("dynamodb").get_waiter("table_not_exists").wait(TableName=name)


def _stream(client: Client, name: str) -> None:
    client("kinesis").delete_stream(StreamName=name, EnforceConsumerDeletion=True)
    client("kinesis").get_waiter("stream_not_exists").wait(StreamName=name)


def _alarm(client: Client, name: str) -> None:
    client("cloudwatch").delete_alarms(AlarmNames=[name])


def _log_group(client: Client, name: str) -> None:
    client("logs").delete_log_group(logGroupName=name)


def _role(client: Client, name: str) -> None:
    iam = client("iam")
    for policy in pages(iam, "list_role_policies", "PolicyNames", RoleName=name):
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy in pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name):
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=name)


def _policy(client: Client, name: str) -> None:
    iam = client("iam")
    for version in pages(iam, "list_policy_versions", "Versions", PolicyArn=name):
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=name, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=name)


# In the order in which they are deleted.
_DELETE: dict[str, Callable[[Client, str], None]] = {
    "aws_lambda_event_source_mapping": _event_source_mapping,
    "aws_lambda_function": _function,
    "aws_cloudwatch_event_rule": _rule,
    "aws_cloudwatch_event_bus": _bus,
    "aws_cloudwatch_composite_alarm": _alarm,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_s3_bucket": _bucket,
    "aws_sns_topic": _topic,
    "aws_sqs_queue": _queue,
    "aws_dynamodb_table": _table,
    "aws_kinesis_stream": _stream,
    "aws_cloudwatch_log_group": _log_group,
    "aws_iam_role": _role,
    "aws_iam_policy": _policy,
}
