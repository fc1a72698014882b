"""Reads failure queues: on-failure destinations and dead-letter queues. It deletes nothing."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from event_harness.aws.errors import AWS_ERRORS
from event_harness.machine.clock import monotonic
from event_harness.results.failure import Failure, parse
from event_harness.system.known_ids import KnownIds

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

__all__ = ["Failure", "FailureReader", "parse"]

_READ, _READ_AT_MOST = 6.0, 48.0
"""Seconds of a first look into one queue, and of the longest. A look that does not reach the end of a queue
doubles the time of the next: a queue that gives its messages in the same order would never show its last."""
_RETURNED = 4  # seconds beyond the look after which a message is seen again if this process dies


class FailureReader:
    """Looks into the failure queues. It returns each message at once and never deletes one.

    Other readers can't see a message for that moment. IAM: sqs:ReceiveMessage, sqs:ChangeMessageVisibility.

    Args:
        queues: URL -> name of the component that fails into it.
        client: An SQS client.
        wait: Seconds that SQS may wait for messages of each queue. From 1 on SQS asks all its servers. With 0
            it asks a few and may miss a message, which a later look sees. 0 is right for repeated looks: with
            several empty queues, 1 would take longer than an explanation may.
        owners: Name of a function or a queue -> name of its component. It tells who failed where several
            components share a failure queue.
        ids: Those of all inputs so far.
        inputs_of: The correlation ids in the event of a Lambda request, as far as they are known. It tells
            whose records of a stream were given up: a message doesn't contain them.
        given_up: What was given up since it was asked last, and no queue keeps.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        queues: Mapping[str, str],
        client: "SQSClient",
        *,
        wait: int = 0,
        owners: Mapping[str, str] | None = None,
        ids: KnownIds | None = None,
        inputs_of: Callable[[str], Collection[str]] = lambda _request_id: (),
        given_up: Callable[[], Iterable[Failure]] = lambda: (),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.queues = dict(queues)
        self.looks = self.begun = 0
        self.errors: dict[str, Exception] = {}  # queue url -> why its last look failed
        self.unread: dict[str, int] = {}  # queue url -> messages read when the last look ended before the end
        self._client = client
        self._wait = wait
        self._owners = dict(owners or {})
        self._ids = KnownIds() if ids is None else ids
        self._inputs_of = inputs_of
        self._given_up = given_up
        self._lost: list[Failure] = []
        self._clock = clock
        self._lock = threading.Lock()
        self._allowed: dict[str, float] = {}  # queue url -> seconds of its next look, where they have grown
        # message id -> failure, number of the latest look that saw it
        self._seen: dict[str, tuple[Failure, int]] = {}

    def look(self) -> list[Failure]:
        """Look into every queue, one thread at a time. Returns the messages not seen before."""
        with self._lock:
            self.begun += 1
            new = [replace(one, _ids=self._ids) for one in self._given_up()]
            self._lost += new
            self._seen |= {one.message_id: (one, self.begun) for one in self._lost}
            for url, component in self.queues.items():
                self.errors.pop(url, None)
                self.unread.pop(url, None)
                try:
                    for message in self._peek(url):
                        failure = parse(message, url, component, self._owners, self._ids)
                        if failure.message_id not in self._seen:
                            if failure.event is None and failure.request_id:
                                failure = failure.about(self._inputs_of(failure.request_id))
                            new.append(failure)
                        else:
                            failure = self._seen[failure.message_id][0]
                        self._seen[failure.message_id] = (failure, self.begun)
                except AWS_ERRORS as error:
                    self.errors[url] = error
            self.looks += 1
            return new

    @property
    def looking(self) -> bool:
        """Whether a look is on its way. What it has received is hidden from others until it ends."""
        return self._lock.locked()

    def of(self, correlation_id: str, after: int = 0) -> list[Failure]:
        """Failures of this input, seen by looks after number `after`. A redriven one is not among them."""
        return [failure for failure in self.all(after) if failure.concerns(correlation_id)]

    def by_input(
        self,
        session_id: str,
        after: int = 0,
        counts: Callable[[Failure], bool] = lambda _failure: True,
    ) -> dict[str, Failure]:
        """Correlation id -> newest failure that counts, for the inputs of a session.

        Only failures that looks after number `after` saw count.

        It takes no longer for thousands of inputs than for one.
        """
        given = {name: key for key, name in self._ids.given.items() if name}
        found: dict[str, Failure] = {}
        for failure in filter(counts, self.all(after)):
            found |= dict.fromkeys(failure.owners(session_id), failure)
            found |= {given[name]: failure for name in failure.texts & given.keys()}
        return found

    def all(self, after: int = 0) -> list[Failure]:
        """Every failure that a look after number `after` saw."""
        return [failure for failure, seen in list(self._seen.values()) if seen > after]

    def _peek(self, url: str) -> Iterator["MessageTypeDef"]:
        received: list[MessageTypeDef] = []
        began, allowed = self._clock(), self._allowed.get(url, _READ)
        try:
            while True:
                messages = self._client.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=10,
                    VisibilityTimeout=int(allowed) + _RETURNED,
                    WaitTimeSeconds=self._wait,
                    MessageSystemAttributeNames=[
                        "SentTimestamp",
                        "DeadLetterQueueSourceArn",
                    ],
                    MessageAttributeNames=["All"],
                ).get("Messages", [])
                if not messages:
                    break
                received += messages
                yield from messages
                if self._clock() - began >= allowed:
                    self.unread[url] = len(received)
                    self._allowed[url] = min(2 * allowed, _READ_AT_MOST)
                    break
        finally:
            for start in range(0, len(received), 10):
                self._client.change_message_visibility_batch(
                    QueueUrl=url,
                    Entries=[
                        {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                        for n, message in enumerate(received[start : start + 10])
                    ],
                )
