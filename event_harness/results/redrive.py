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
    """Replay the original event of each message in the failure queues.

    The function is invoked with the event again, asynchronously: its retries and its failure queue work as
    they did the first time. A message of a dead-letter queue is sent to its queue again. Where several
    components share a queue, the message itself names its function or queue. The failed message is deleted
    only after AWS has accepted the event, so an event is never lost; at worst it is handled twice.
    Events that fail again meanwhile stay in the queue until the next replay. What rules, subscriptions,
    pipes and schedules could not deliver is named, and stays.

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
    able = _able(resources)
    chosen = _chosen(able, components, resources.origin)
    shared: dict[str, list[Component]] = {}  # failure queue -> the components that fail into it
    for component in able:
        shared.setdefault(str(component.failure_queue_url), []).append(component)
    urls = list(dict.fromkeys(str(component.failure_queue_url) for component in chosen))
    owners = [_Owners(resources, shared[url], chosen) for url in urls]
    others = {} if components else _others(resources, able)
    if dry_run:
        return max(_told(target, owners, say), _say_others(resources, target, others, say)[1])
    outcomes: list[bool] = []
    unread: dict[str, Exception] = {}  # component -> why its queue can't be read
    for owner in owners:
        queue = _Queue(target, owner)
        try:
            for message, failure in queue.failures():
                outcomes.append(_moved(target, owner, queue, message, failure, say))
        except AWS_ERRORS as error:
            unread[owner.names] = error
    _say_unread(unread, say)
    left, failed = _say_others(resources, target, others, say)
    outcomes += [False] * left
    say(f"{sum(outcomes)} replayed, {len(outcomes) - sum(outcomes)} not")
    return 0 if all(outcomes) and not unread and not failed else 1


def _others(resources: ResourceMap, able: Sequence[Component]) -> dict[str, str]:
    """URL of each failure queue that is neither a function's nor a queue's -> what fails into it."""
    own = {str(component.failure_queue_url) for component in able}
    return {url: name for url, name in resources.failure_queues.items() if url not in own}


def _say_others(resources: ResourceMap, target: Target, urls: Mapping[str, str], say: Say) -> tuple[int, int]:
    """Say which messages of such queues stay; return how many, and 1 if a queue can't be read, else 0."""
    if not urls:
        return 0, 0
    reader = FailureReader(urls, target.client("sqs"), wait=_WAIT, owners=resources.owners)
    left = reader.look()
    for failure in left:
        say(
            f"not replayed: {failure}: it is in {failure.queue_url}, the dead-letter queue of a rule, a"
            " subscription, a pipe or a schedule; send it to its target yourself"
        )
    _say_unread({urls[url]: error for url, error in reader.errors.items()}, say)
    return len(left), int(bool(reader.errors))


def _told(target: Target, owners: Sequence["_Owners"], say: Say) -> int:
    """Say what would be replayed; return 0 if every queue could be read."""
    replayed = 0
    unread: dict[str, Exception] = {}
    for owner in owners:
        reader = FailureReader({owner.url: owner.default}, target.client("sqs"), wait=_WAIT, owners=owner.all)
        for failure in reader.look():
            if not owner.concern(failure):
                continue
            try:
                owner.of(failure)
            except _UnfitError as error:
                say(f"would not be replayed: {failure}: {error}")
            else:
                replayed += 1
                say(f"would be replayed: {failure}")
        for why in reader.errors.values():
            unread[owner.names] = why
    _say_unread(unread, say)
    say(f"{replayed} would be replayed")
    return 1 if unread else 0


def _say_unread(unread: Mapping[str, Exception], say: Say) -> None:
    for component, error in unread.items():
        say(
            f"failure queue of {component} can't be read: {message_of(error)};"
            " is it deployed, and do you have sqs:ReceiveMessage on it?"
        )


def _moved(
    target: Target, owners: "_Owners", queue: "_Queue", message: Any, failure: Failure, say: Say
) -> bool:
    """Replay the event of one message and delete the message; return whether both succeeded."""
    try:
        _replay(target, owners.of(failure), message, failure)
        queue.delete(message)
    except (*AWS_ERRORS, _UnfitError) as error:
        reason = str(error) if isinstance(error, _UnfitError) else message_of(error)
        say(f"not replayed: {failure}: {reason}")
        return False
    say(f"replayed: {failure}")
    return True


class _UnfitError(Exception):
    """The message doesn't hold an event that can be replayed."""


class _Owners:
    """The components that fail into one queue: they tell where a message is replayed.

    Args:
        resources: The deployed system.
        sharing: The components that fail into the queue.
        chosen: Those whose failures are replayed.
    """

    def __init__(
        self, resources: ResourceMap, sharing: Sequence[Component], chosen: Sequence[Component]
    ) -> None:
        self.all = resources.owners
        self.url = str(sharing[0].failure_queue_url)
        self._sharing = sharing
        self._chosen = [component for component in sharing if component in chosen]
        self.default = self._chosen[0].name
        self.names = ", ".join(component.name for component in self._chosen)

    def concern(self, failure: Failure) -> bool:
        """Whether this failure is to be replayed: not if it is that of a component which wasn't chosen."""
        others = {component.name for component in self._sharing if component not in self._chosen}
        return not (failure.named and failure.component in others)

    def of(self, failure: Failure) -> Component:
        """The component that gets the event of a failure again.

        Raises:
            _UnfitError: The message names another function or queue, or it may be that of several components.
        """
        if failure.named:
            for component in self._chosen:
                if component.name == failure.component:
                    return component
            raise _UnfitError(f"{failure.named} is no component with this failure queue")
        kind = [one for one in self._chosen if (one.type == "sqs") == failure.redriven] or self._chosen
        if len(kind) > 1:
            names = " and ".join(component.name for component in kind)
            raise _UnfitError(f"it names no function, and {names} share the queue: name one with --component")
        return kind[0]


class _Queue:
    """A failure queue."""

    def __init__(self, target: Target, owners: _Owners) -> None:
        self._sqs = target.client("sqs")
        self._url = owners.url
        self._owners = owners
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
                    MessageSystemAttributeNames=[
                        "SentTimestamp",
                        "MessageGroupId",
                        "DeadLetterQueueSourceArn",
                    ],
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
                    failure = parse(message, self._url, self._owners.default, self._owners.all)
                    late = failure.failed_at and failure.failed_at.timestamp() >= began.timestamp() + 1
                    if not (seen or late) and self._owners.concern(failure):
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


def _able(resources: ResourceMap) -> list[Component]:
    """The components that have a failure queue, the listener among them."""
    listener = Component(
        "event_listener",
        "lambda",
        function=resources.listener.function,
        failure_queue_url=resources.listener.failure_queue_url,
    )
    return [component for component in (*resources.components, listener) if component.failure_queue_url]


def _chosen(able: Sequence[Component], names: Sequence[str], origin: str) -> list[Component]:
    there = [component.name for component in able]
    for name in names:
        if name not in there:
            raise SettingError(
                f"{origin}: no component {name!r} has a failure queue; "
                f"there are: {', '.join(there) or 'none'}"
            )
    return [component for component in able if not names or component.name in names]


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
