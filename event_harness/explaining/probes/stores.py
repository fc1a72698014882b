"""Asks buckets, queues, topics, buses, tables and streams about an input, and how they are connected."""

from collections.abc import Collection
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from event_harness.aws.errors import code_of
from event_harness.explaining import wiring
from event_harness.explaining.probes.asking import Question, Seen, count, linked
from event_harness.explaining.report import Finding
from event_harness.results.sent import Sent
from event_harness.system.graph.model import LISTENER
from event_harness.system.resources import Component

_KEYS = 1000  # that are looked through, if no setting tells how they begin
_MOST = 5  # objects that are told


def bucket(question: Question, component: Component) -> Seen:
    """Ask a bucket. IAM: s3:GetObject and s3:ListBucket, s3:GetBucketNotification."""
    if question.is_entry(component) and question.sent.description.startswith(f"s3://{component.bucket}/"):
        key = question.sent.description.removeprefix(f"s3://{component.bucket}/")
        finding = _input(question, component, key)
    else:
        finding, key = _output(question, component)
    return linked(finding, lambda: wiring.links_of_bucket(question.client, component, key or None))


def _input(question: Question, component: Component, key: str) -> Finding:
    name = component.name
    try:
        head = question.client("s3").head_object(Bucket=component.bucket, Key=key)
    except ClientError as error:
        if code_of(error) not in ("404", "NoSuchKey"):
            raise
        text = "the input isn't there: it was deleted"
        return Finding(name, "failed", text, cause=f"{name}: the input was deleted from it")
    return Finding(name, "ok", f"the input is there, {head['ContentLength']:,} bytes")


def _output(question: Question, component: Component) -> tuple[Finding, str]:
    """The finding about a bucket where outputs are written, and the key of the newest."""
    name, id_ = component.name, question.sent.correlation_id
    patterns = _key_patterns(question, component)
    if not patterns:
        return _by_any_key(question, component)
    prefixes = sorted({f"{pattern.partition('*')[0]}{id_}" for pattern in patterns})
    keys = {pattern.replace("*", id_) for pattern in patterns}
    found = [item for prefix in prefixes for item in _listed(question, str(component.bucket), prefix, keys)]
    if found:
        told = [f"{item['Key']}, {item['Size']:,} bytes" for item in found]
        return Finding(name, "ok", f"the output is there: {told[0]}", tuple(told[1:])), str(found[0]["Key"])
    looked = " or ".join(prefix.replace(id_, "<id>") for prefix in prefixes)
    return Finding(
        name, "not reached", f"no object of this id (looked for keys that begin with {looked})"
    ), ""


def _key_patterns(question: Question, component: Component) -> set[str]:
    """How the keys of a bucket look, if the listener listens to it, or if it isn't known to which it does."""
    graph = question.resources.graph
    sources = question.resources.sources
    if graph is not None:
        buckets = {one.address for one in graph.nodes.values() if one.name == component.name}
        listened = [edge for edge in graph.into(LISTENER) if edge.source in buckets]
        named = {note.removeprefix("source ") for edge in listened for note in edge.notes}
        sources = {name: source for name, source in sources.items() if name in named}
    keyed = [one for one in sources.values() if (one.type, one.correlation) == ("s3", "key")]
    return {source.at or "*" for source in keyed}


def _by_any_key(question: Question, component: Component) -> tuple[Finding, str]:
    """The finding about a bucket where no setting tells how keys carry the id, or whether they do."""
    answer = question.client("s3").list_objects_v2(Bucket=component.bucket, MaxKeys=_KEYS)
    id_ = question.sent.correlation_id
    found = [one for one in answer.get("Contents", []) if question.ids.carries(one["Key"], id_)]
    if found:
        told = [f"{one['Key']}, {one['Size']:,} bytes" for one in found[:_MOST]]
        text = f"an object of this id is there: {told[0]}"
        return Finding(component.name, "ok", text, tuple(told[1:])), str(found[0]["Key"])
    looked = f"the first {_KEYS:,} keys" if answer.get("IsTruncated") else "its keys"
    text = f"not known: none of {looked} carries the id, and they needn't"
    return Finding(component.name, "unknown", text), ""


def _listed(question: Question, bucket: str, prefix: str, keys: Collection[str]) -> list[Any]:
    """Up to five objects of this id; an object whose id is longer belongs to another input."""
    answer = question.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=50)
    id_ = question.sent.correlation_id
    under = (
        item
        for item in answer.get("Contents", [])
        if item["Key"] in keys or question.ids.carries(item["Key"], id_)
    )
    return list(islice(under, _MOST))


def queue(question: Question, component: Component) -> Seen:
    """Ask a queue. IAM: sqs:GetQueueAttributes, lambda:ListEventSourceMappings."""
    name = component.name
    wanted = [
        "QueueArn",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    answer = question.client("sqs").get_queue_attributes(QueueUrl=component.queue_url, AttributeNames=wanted)
    attributes = answer["Attributes"]
    waiting, taken, delayed = (int(attributes.get(key, 0)) for key in wanted[1:])
    later = f", {delayed} delayed" if delayed else ""
    text = f"{count(waiting, 'message')} waiting, {taken} in flight{later} (about)"
    if taken:
        told = f"{count(taken, 'message')} in flight: received, and not deleted yet"
        finding = Finding(name, "running", f"{told}; {waiting} waiting{later}", cause=f"{name}: {told}")
    elif waiting or delayed:
        finding = Finding(name, "unknown", text, cause=f"{name}: {text}")
    else:
        finding = Finding(name, "unknown", f"{text}; it doesn't tell which have passed")
    return _mapped(question, finding, attributes.get("QueueArn"), _own(question, component))


def topic(question: Question, component: Component) -> Seen:
    """Ask a topic. IAM: sns:GetTopicAttributes, and what `links_of_topic` needs."""
    question.client("sns").get_topic_attributes(TopicArn=component.topic_arn)
    finding = Finding(component.name, "unknown", "there; a topic doesn't tell what has passed")
    return linked(
        finding, lambda: wiring.links_of_topic(question.client, component, _own(question, component))
    )


def bus(question: Question, component: Component) -> Seen:
    """Ask a bus. IAM: events:DescribeEventBus, events:ListRules, events:ListTargetsByRule."""
    question.client("events").describe_event_bus(Name=component.bus)
    finding = Finding(component.name, "unknown", "there; a bus doesn't tell what has passed")
    return linked(finding, lambda: wiring.links_of_bus(question.client, component, _own(question, component)))


def table(question: Question, component: Component) -> Seen:
    """Ask a table. IAM: dynamodb:DescribeTable, lambda:ListEventSourceMappings."""
    found = question.client("dynamodb").describe_table(TableName=component.table)["Table"]
    on = found.get("StreamSpecification", {}).get("StreamEnabled", False)
    text = f"{found['TableStatus']}, stream {'on' if on else 'off'}"
    finding = Finding(component.name, "unknown", text)
    return _mapped(question, finding, found.get("LatestStreamArn") if on else None)


def stream(question: Question, component: Component) -> Seen:
    """Ask a stream. IAM: kinesis:DescribeStreamSummary, lambda:ListEventSourceMappings."""
    answer = question.client("kinesis").describe_stream_summary(StreamName=component.stream)
    found = answer["StreamDescriptionSummary"]
    text = f"{found['StreamStatus']}, {count(found['OpenShardCount'], 'shard')} open"
    return _mapped(question, Finding(component.name, "unknown", text), found.get("StreamARN"))


def _mapped(question: Question, finding: Finding, arn: str | None, sent: Sent | None = None) -> Seen:
    """A finding with the event source mappings of a queue or stream."""
    if not arn:
        return Seen(finding)
    return linked(finding, lambda: wiring.links_of_source(question.client, arn, sent))


def _own(question: Question, component: Component) -> Sent | None:
    """The input, where its content at this component is known: where it was sent to."""
    return question.sent if question.is_entry(component) else None
