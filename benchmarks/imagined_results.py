"""A results table whose items the benchmark writes itself, so that it measures nothing but the waiting."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.listening.listener import Listener
from event_harness.results.sent import Sent
from event_harness.system.resources import ResourceMap

TABLE = "results"
MAP = {
    "schema": 1,
    "region": "eu-west-1",
    "results": {"table": TABLE, "index": "by_arrival", "overflow_bucket": "unused"},
    "listener": {"function": "unused", "failure_queue_url": None},
    "sources": {},
    "components": [],
}


@contextmanager
def results_table() -> Iterator[Target]:
    """A local AWS emulator of its own, with the results table that the module creates."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as directory,
        LocalEmulator.start(Path(directory) / "aws") as aws,
    ):
        target = aws.target()
        create_table(target)
        yield target


def create_table(target: Target) -> None:
    """Create the results table."""
    target.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "session_id", "AttributeType": "S"},
            {"AttributeName": "event_id", "AttributeType": "S"},
            {"AttributeName": "received_at", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "session_id", "KeyType": "HASH"},
            {"AttributeName": "event_id", "KeyType": "RANGE"},
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "by_arrival",
                "KeySchema": [
                    {"AttributeName": "session_id", "KeyType": "HASH"},
                    {"AttributeName": "received_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def item_of(sent: Sent) -> dict[str, dict[str, str]]:
    """The item that the event listener would write of a result."""
    return {
        "session_id": {"S": sent.session_id},
        "event_id": {"S": f"destination:{sent.correlation_id}"},
        "correlation_id": {"S": sent.correlation_id},
        "received_at": {"N": str(int(time.time() * 1000))},
        "source": {"S": "destination"},
        "source_type": {"S": "s3"},
        "size": {"N": "5"},
        "body_kind": {"S": "text"},
        "body": {"S": "HELLO"},
        "metadata": {"S": '{"bucket": "destination", "key": "' + sent.correlation_id + '"}'},
    }


def write(target: Target, sent: Sent) -> float:
    """Write the item of a result. Return the monotonic time at which it was there."""
    target.client("dynamodb").put_item(TableName=TABLE, Item=item_of(sent))
    return time.monotonic()


def write_all(target: Target, sents: list[Sent]) -> None:
    """Write the items of many results, 25 in a call."""
    for start in range(0, len(sents), 25):
        requests = [{"PutRequest": {"Item": item_of(sent)}} for sent in sents[start : start + 25]]
        target.client("dynamodb").batch_write_item(RequestItems={TABLE: requests})


def read_one(target: Target, sent: Sent) -> object:
    """Read the item of a result, as the sample's poll loop does.

    Raises:
        KeyError: It isn't there.
    """
    key = {"session_id": {"S": sent.session_id}, "event_id": {"S": f"destination:{sent.correlation_id}"}}
    answer = target.client("dynamodb").get_item(TableName=TABLE, Key=key, ConsistentRead=True)
    return answer["Item"]


def listener_of(target: Target, session_id: str, sla: float = 60) -> Listener:
    """A listener with a test session id of its own."""
    return Listener(ResourceMap.from_mapping(MAP, "benchmark"), target, session_id, sla=sla)


def pretend_to_send(listener: Listener, number: int) -> Sent:
    """An input as a producer returns it. The listener is notified as by a producer."""
    listener.inflight.noticed()
    return Sent(f"{listener.session_id}/{number}", "source", time.time(), f"input {number}", 5)


def later(seconds: float, action: Callable[[], object]) -> threading.Timer:
    """Do it some seconds from now, in a thread of its own."""
    timer = threading.Timer(seconds, action)
    timer.start()
    return timer


def since(there: list[float]) -> float:
    """Seconds since the time in this list. 0 if the writer, who adds it, has not yet got its answer."""
    returned = time.monotonic()
    while not there:
        time.sleep(0.001)
    return max(0.0, returned - there[0])
