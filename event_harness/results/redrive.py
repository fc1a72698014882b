"""Replays failed inputs, once the cause is fixed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.errors import SettingError
from event_harness.machine import terminal
from event_harness.results.failures import Failure, FailureReader, parse
from event_harness.system.resources import Component, ResourceMap

Say = Callable[[str], None]

_WAIT = 1  # seconds; with 0, SQS asks only a few of its servers and may find no message although there is one
_HIDDEN = 60  # seconds that a message stays hidden while it is replayed, or if this process dies meanwhile


def redrive(
    resources: ResourceMap,
    target: Target,
    *,
    components: Sequence[str] = (),
    dry_run: bool = False,
    say: Say = terminal.say,
) -> int:
    """Replay the original event of each message in the on-failure queues.

    The function is invoked with the event again, asynchronously: its retries and its on-failure queue work as
    they did the first time. A message of a dead-letter queue is sent to its queue again. The failed message
    is deleted only after AWS has accepted the event, so an event is never lost; at worst it is handled twice.
    Events that fail again meanwhile stay in the queue until the next replay.

    IAM: sqs:ReceiveMessage, sqs:ChangeMessageVisibility, sqs:DeleteMessage on the failure queues;
    lambda:InvokeFunction on the functions, sqs:SendMessage on the queues.

    Args:
        resources: The deployed system.
        target: The AWS that it is deployed to.
        components: Names of the components whose failures are replayed (`event_listener` is the listener);
            none for all.
        dry_run: Only list what would be replayed.
        say: Prints a line.

    Returns:
        0 if every message was replayed (in a dry run: if every queue could be read), otherwise 1.

    Raises:
        SettingError: There is no such component, or it has no failure queue.
    """
    chosen = _chosen(resources, components)
    if dry_run:
        queues = {str(s.failure_queue_url): s.name for s in chosen}
        reader = FailureReader(queues, target.client("sqs"), wait=_WAIT)
        found = reader.look()
        for failure in found:
            say(f"would be replayed: {failure}")
        _say_unread({queues[url]: error for url, error in reader.errors.items()}, say)
        say(f"{len(found)} would be replayed")
        return 1 if reader.errors else 0
    outcomes: list[bool] = []
    unread: dict[str, Exception] = {}  # component -> why its queue can't be read
    for component in chosen:
        queue = _Queue(target, component)
        try:
            for message, failure in queue.failures():
                outcomes.append(_moved(target, component, queue, message, failure, say))
        except AWS_ERRORS as error:
            unread[component.name] = error
    _say_unread(unread, say)
    say(f"{sum(outcomes)} replayed, {len(outcomes) - sum(outcomes)} not")
    return 0 if all(outcomes) and not unread else 1


def _say_unread(unread: Mapping[str, Exception], say: Say) -> None:
    for component, error in unread.items():
        say(
            f"failure queue of {component} can't be read: {message_of(error)};"
            " is it deployed, and do you have sqs:ReceiveMessage on it?"
        )


def _moved(
    target: Target, component: Component, queue: "_Queue", message: Any, failure: Failure, say: Say
) -> bool:
    """Replay the event of one message and delete the message; return whether both succeeded."""
    try:
        _replay(target, component, message, failure)
        queue.delete(message)
    except (*AWS_ERRORS, _UnfitError) as error:
        reason = str(error) if isinstance(error, _UnfitError) else message_of(error)
        say(f"not replayed: {failure}: {reason}")
        return False
    say(f"replayed: {failure}")
    return True


class _UnfitError(Exception):
    """The message doesn't hold an event that can be replayed."""


class _Queue:
    """The on-failure queue of a component."""

    def __init__(self, target: Target, component: Component) -> None:
        self._sqs = target.client("sqs")
        self._url = str(component.failure_queue_url)
        self._component = component.name
        self._kept: dict[str, str] = {}  # message id -> receipt, of messages that stay in the queue

    def failures(self) -> Iterator[tuple[Any, Failure]]:
        """Yield each message that was there at the start, once. Make the kept ones visible at the end."""
        began = None
        try:
            while True:
                answer = self._sqs.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=10,
                    VisibilityTimeout=_HIDDEN,
                    WaitTimeSeconds=_WAIT,
                    MessageSystemAttributeNames=["SentTimestamp", "MessageGroupId"],
                    MessageAttributeNames=["All"],
                )
                # SQS's own clock, which also stamps the messages. It gives whole seconds.
                began = began or parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
                messages = answer.get("Messages", [])
                if all(message["MessageId"] in self._kept for message in messages):
                    return  # there is none, or those that stay come round again
                for message in messages:
                    seen = message["MessageId"] in self._kept
                    self._kept[message["MessageId"]] = message["ReceiptHandle"]
                    failure = parse(message, self._url, self._component)
                    late = failure.failed_at and failure.failed_at.timestamp() >= began.timestamp() + 1
                    if not (seen or late):
                        yield message, failure
        finally:
            for receipt in self._kept.values():
                self._sqs.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0
                )

    def delete(self, message: Any) -> None:
        """Delete a message from the queue."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        del self._kept[message["MessageId"]]


def _chosen(resources: ResourceMap, names: Sequence[str]) -> list[Component]:
    listener = Component(
        "event_listener",
        "lambda",
        function=resources.listener.function,
        failure_queue_url=resources.listener.failure_queue_url,
    )
    able = {s.name: s for s in (*resources.components, listener) if s.failure_queue_url}
    for name in names:
        if name not in able:
            raise SettingError(
                f"{resources.origin}: no component {name!r} has a failure queue; "
                f"there are: {', '.join(able) or 'none'}"
            )
    return [component for name, component in able.items() if not names or name in names]


def _replay(target: Target, component: Component, message: Any, failure: Failure) -> None:
    """Send the input to the component that failed on it; return once AWS has accepted it."""
    if component.type == "sqs":
        order = {
            "MessageGroupId": message.get("Attributes", {}).get("MessageGroupId", "redrive"),
            "MessageDeduplicationId": message["MessageId"],
        }
        target.client("sqs").send_message(
            QueueUrl=component.identifier,
            MessageBody=message["Body"],
            MessageAttributes=message.get("MessageAttributes", {}),
            **(order if component.identifier.endswith(".fifo") else {}),
        )
        return
    if failure.condition is None and failure.request_id is None:
        raise _UnfitError("it names no invocation of the function, so it may not be an event of it")
    if failure.event is None:
        raise _UnfitError("it names records of a stream, but not their content: read them from the stream")
    target.client("lambda").invoke(
        FunctionName=component.function,
        InvocationType="Event",
        Payload=_payload(failure.event),
    )


def _payload(event: object) -> bytes:
    """An event as JSON in UTF-8. Half a surrogate pair can't be encoded so: then all in ASCII."""
    try:
        return json.dumps(event, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(event).encode()
