"""Asks each type of component about an input. A probe makes one or two calls, which only read."""

from collections.abc import Callable, Collection
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from event_harness.aws.errors import code_of
from event_harness.aws.targets import Target
from event_harness.explaining.function_logs import read_log, told
from event_harness.explaining.report import Finding
from event_harness.results.sent import Sent
from event_harness.system.resources import Component, ResourceMap

# An explanation must be quick: one retry, short timeouts.
_SHORT = {
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "connect_timeout": 2,
    "read_timeout": 4,
}
_MISSING = {
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}


class Probes:
    """Asks the components about one input.

    IAM: s3:GetObject and s3:ListBucket, logs:FilterLogEvents, sqs:GetQueueAttributes, sns:GetTopicAttributes,
    events:DescribeEventBus, dynamodb:DescribeTable, kinesis:DescribeStreamSummary, on the components. A call
    that is denied is reported as not known.

    Args:
        resources: The deployed system.
        target: Makes the AWS clients.
        sent: The input.
        resulted: Every source has a result of it, perhaps a wrong one.
        foreign: Lambda requests that are known to be of other inputs.
        was_sent: Tells whether an input of this session has this correlation id.
        deadline: Answers are not awaited longer, monotonic seconds.
    """

    def __init__(
        self,
        resources: ResourceMap,
        target: Target,
        sent: Sent,
        *,
        resulted: bool,
        foreign: Collection[str | None] = (),
        was_sent: Callable[[str | None], bool],
        deadline: float,
    ) -> None:
        self._resources = resources
        self._target = target
        self._sent = sent
        self._resulted = resulted
        self._foreign = foreign
        self._was_sent = was_sent
        self._deadline = deadline

    def probe(self, component: Component) -> Finding:
        """Ask this component.

        Raises:
            Exception: Any kind; the caller reports it as not known.
        """
        ask: dict[str, Callable[[Component], Finding]] = {
            "s3": self._bucket,
            "sqs": self._queue,
            "sns": self._topic,
            "eventbridge": self._bus,
            "lambda": self._function,
            "dynamodb": self._table,
            "kinesis": self._stream,
        }
        try:
            return ask[component.type](component)
        except ClientError as error:
            if code_of(error) not in _MISSING:
                raise
            what = f"{component.resource} isn't there"
            return Finding(component.name, "bad", what, cause=f"{component.name}: {what}; was it destroyed?")

    def listener(self) -> Finding:
        """Ask the listener itself."""
        function = self._resources.listener
        return self._function(
            Component("event_listener", "lambda", function=function.function, log_group=function.log_group),
            records=True,
        )

    def _client(self, service: str) -> Any:
        return self._target.client(service, **_SHORT)

    def _bucket(self, component: Component) -> Finding:
        name, id_ = component.name, self._sent.correlation_id
        if name == self._sent.component:
            key = self._sent.description.removeprefix(f"s3://{component.bucket}/")
            try:
                head = self._client("s3").head_object(Bucket=component.bucket, Key=key)
            except ClientError as error:
                if code_of(error) not in ("404", "NoSuchKey"):
                    raise
                return Finding(
                    name,
                    "bad",
                    "the input isn't there",
                    cause=f"the input was deleted from {component.bucket}",
                )
            return Finding(name, "ok", f"the input is there, {head['ContentLength']:,} bytes")
        sources = self._resources.sources.values()
        patterns = {
            source.at or "*" for source in sources if (source.type, source.correlation) == ("s3", "key")
        }
        if not patterns:
            return Finding(name, "unknown", "not known: this system's keys don't carry the id")
        found = [
            f"{item['Key']}, {item['Size']:,} bytes"
            for before in sorted({pattern.partition("*")[0] for pattern in patterns})
            for item in self._listed(str(component.bucket), f"{before}{id_}")
        ]
        if found:
            return Finding(name, "ok", f"the output is there: {found[0]}", tuple(found[1:]))
        cause = f"nothing was written to {name} under this id"
        return Finding(name, "bad", "no object of this id", cause=cause, missed=True)

    def _listed(self, bucket: str, prefix: str) -> list[Any]:
        """Up to five objects of this id; an object whose id is longer belongs to another input."""
        answer = self._client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=50)
        under = (item for item in answer.get("Contents", []) if not item["Key"][len(prefix) :][:1].isalnum())
        return list(islice(under, 5))

    def _function(self, component: Component, *, records: bool = False) -> Finding:
        """Read a function's log. With `records` it names the ids of events that it recorded."""
        name = component.name
        since = self._sent.sent_at - self._target.skew
        log = read_log(
            self._client("logs"),
            str(component.log_group),
            since,
            self._sent.correlation_id,
            self._foreign,
            was_sent=self._was_sent,
            deadline=self._deadline,
        )
        mine = told(log.mine)
        if log.my_errors:
            last = log.my_errors[-1]
            text = f"invoked, with {_count(len(log.my_errors), 'error line')} of this input"
            return Finding(name, "bad", text, mine, cause=f"{name}: {last.text}", sure=True)
        if log.elsewhere:
            text = f"has it under another correlation id: {log.elsewhere}"
            return Finding(name, "bad", text, mine, cause=f"{name} {text}", sure=True)
        if log.mine and (self._resulted or not (records and log.strange)):
            return Finding(name, "ok", f"invoked, {_count(len(mine), 'log line')} of this input", mine)
        if records and log.strange:
            many = _count(len(log.strange), "event")
            text = f"recorded {many} under an id that no run made: {log.strange[-1]}"
            hint = "does the system pass the id on, does the source's `correlation` look where it is?"
            return Finding(name, "bad", text, log.strange, cause=f"{name} {text}; {hint}")
        if log.errors:
            text = f"{_count(len(log.errors), 'error line')} since the send, none names this input"
            errors, raised = told(log.errors), log.errors[-1].text
            if self._resulted or log.unclear:
                # An invocation without an error and without an id may have been this input's.
                maybe = f"{name} logged errors that may be of this input or of another ({raised})"
                return Finding(name, "open", text, errors, cause=None if self._resulted else maybe)
            return Finding(name, "bad", text, errors, cause=f"{name} fails: {raised}")
        if log.invocations > log.for_others or self._resulted:
            often = f" {_count(log.invocations, 'time')} since the send" if log.invocations else ""
            text = f"invoked{often}, no log line names this input"
            silent = (
                f"{name} was invoked and logged nothing of this input"
                " (it logs no ids, failed early, or wrote nothing)"
            )
            return Finding(name, "open", text, cause=None if self._resulted else silent)
        cause = (
            f"{name} wasn't invoked for this input: does what precedes it notify it"
            " (is that live yet, do prefix, suffix, filter or pattern match)? Or does it still run?"
        )
        others = f"invoked {_count(log.invocations, 'time')} since the send, for other inputs only"
        text = others if log.invocations else "not invoked since the send"
        return Finding(name, "bad", text, cause=cause, missed=True)

    def _queue(self, component: Component) -> Finding:
        wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._client("sqs").get_queue_attributes(QueueUrl=component.queue_url, AttributeNames=wanted)
        waiting, taken = (int(answer["Attributes"].get(name, 0)) for name in wanted)
        text = f"{_count(waiting, 'message')} waiting, {taken} being worked on (about)"
        if not waiting:
            return Finding(component.name, "open", text)
        return Finding(
            component.name, "bad", text, cause=f"messages stay in {component.name}: is its consumer working?"
        )

    def _topic(self, component: Component) -> Finding:
        answer = self._client("sns").get_topic_attributes(TopicArn=component.topic_arn)
        confirmed = answer["Attributes"].get("SubscriptionsConfirmed")
        if confirmed is not None and int(confirmed) == 0:
            return Finding(
                component.name, "bad", "no subscription", cause=f"nobody is subscribed to {component.name}"
            )
        return Finding(
            component.name, "open", f"there, {confirmed or 'some'} subscriptions; a topic keeps nothing"
        )

    def _bus(self, component: Component) -> Finding:
        self._client("events").describe_event_bus(Name=component.bus)
        return Finding(component.name, "open", "there; a bus keeps nothing")

    def _table(self, component: Component) -> Finding:
        table = self._client("dynamodb").describe_table(TableName=component.table)["Table"]
        stream = table.get("StreamSpecification", {}).get("StreamEnabled", False)
        text = f"{table['TableStatus']}, stream {'on' if stream else 'off'}"
        return Finding(component.name, "open", text)

    def _stream(self, component: Component) -> Finding:
        answer = self._client("kinesis").describe_stream_summary(StreamName=component.stream)
        summary = answer["StreamDescriptionSummary"]
        return Finding(
            component.name, "open", f"{summary['StreamStatus']}, {summary['OpenShardCount']} shards open"
        )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
