"""Measures how long a result is in the table before `wait_for` returns it, and how many reads that costs.

It creates a results table on a local AWS emulator of its own and writes the items itself. So it measures
nothing but the reading. Run it with `make bench`, or alone with `python -m benchmarks.wait_latency`.
"""

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.sample.polling import poll
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
QUICKEST, SLOWEST = 0.03, 3.0  # seconds that the imaginary system takes, log-uniform
FULL, QUICK = (120, 6.0), (10, 1.0)  # waits to measure, and seconds over which Query calls are counted


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few and short waits, to see that it works")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    samples, window = QUICK if options.quick else FULL
    rng = random.Random(options.seed)
    delays = [QUICKEST * (SLOWEST / QUICKEST) ** rng.random() for _ in range(samples)]
    with (
        tempfile.TemporaryDirectory(prefix="wait-latency-") as directory,
        LocalEmulator.start(Path(directory) / "aws") as aws,
    ):
        target = aws.target()
        create_table(target)
        ours = [latency(target, number, delay) for number, delay in enumerate(delays)]
        with ThreadPoolExecutor(16) as pool:
            theirs = list(pool.map(lambda delay: sample_latency(target, rng, delay), delays[:48]))
        report(
            ours,
            theirs,
            {n: queries_per_second(target, n, window) for n in (1, 200)},
            {n: queries_while_arriving(target, n, window) for n in (1, 200)},
        )


def create_table(target: Target) -> None:
    """Create the results table as the module does."""
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


def write(target: Target, sent: Sent) -> float:
    """Write the item of a result. Return the monotonic time at which it was there."""
    target.client("dynamodb").put_item(
        TableName=TABLE,
        Item={
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
        },
    )
    return time.monotonic()


def write_all(target: Target, sents: list[Sent]) -> None:
    """Write the items of several results."""
    for sent in sents:
        write(target, sent)


def listener_of(target: Target, session_id: str) -> Listener:
    """A listener with a test session id of its own."""
    return Listener(ResourceMap.from_mapping(MAP, "benchmark"), target, session_id, sla=30)


def pretend_to_send(listener: Listener, number: int) -> Sent:
    """An input as a producer returns it. The listener is notified as by a producer."""
    listener.inflight.noticed()
    return Sent(f"{listener.session_id}/{number}", "source", time.time(), f"input {number}", 5)


def later(seconds: float, action: Callable[[], None]) -> threading.Timer:
    """Do it some seconds from now, in a thread of its own."""
    timer = threading.Timer(seconds, action)
    timer.start()
    return timer


def latency(target: Target, number: int, delay: float) -> float:
    """Seconds from the moment the item is there to the return of `wait_for`."""
    listener = listener_of(target, f"latency{number}")
    sent = pretend_to_send(listener, 0)
    there: list[float] = []
    later(delay, lambda: there.append(write(target, sent)))
    listener.wait_for(sent)
    return since(there)


def sample_latency(target: Target, rng: random.Random, delay: float) -> float:
    """The same for the sample's poll loop."""
    sent = Sent(f"sample{rng.random()}/0", "source", time.time(), "input", 5)
    there: list[float] = []
    later(delay, lambda: there.append(write(target, sent)))
    key = {"session_id": {"S": sent.session_id}, "event_id": {"S": f"destination:{sent.correlation_id}"}}
    poll(
        lambda: target.client("dynamodb").get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"],
        uniform=rng.uniform,
    )
    return since(there)


def since(there: list[float]) -> float:
    """Seconds since the time in this list. 0 if the writer, who adds it, has not yet got its answer."""
    returned = time.monotonic()
    while not there:
        time.sleep(0.001)
    return max(0.0, returned - there[0])


def queries_per_second(target: Target, inputs: int, window: float) -> float:
    """Query calls per second while threads await this many inputs and none arrives."""
    listener = listener_of(target, f"silent{inputs}")
    sents = [pretend_to_send(listener, number) for number in range(inputs)]
    deadline = time.monotonic() + window
    with ThreadPoolExecutor(inputs) as pool:
        list(pool.map(lambda sent: listener.look_until(lambda: awaited(listener, sent), deadline), sents))
    return listener.reader.queries / window


def queries_while_arriving(target: Target, inputs: int, window: float) -> float:
    """Query calls per second while threads send and await this many inputs, each arriving after 0.5 s."""
    listener = listener_of(target, f"busy{inputs}")
    began = time.monotonic()
    rounds = 0
    with ThreadPoolExecutor(inputs) as pool:
        while time.monotonic() - began < window:
            sents = [pretend_to_send(listener, rounds * inputs + number) for number in range(inputs)]
            later(0.5, partial(write_all, target, sents))
            list(pool.map(listener.wait_for, sents))
            rounds += 1
    return listener.reader.queries / (time.monotonic() - began)


def awaited(listener: Listener, sent: Sent) -> bool | None:
    """Whether it arrived."""
    return listener.reader.has(sent.correlation_id) or None


def report(ours: list[float], theirs: list[float], silent: dict[int, float], busy: dict[int, float]) -> None:
    """Print the tables."""
    table = Table(
        "", "median ms", "95th percentile ms", "largest ms", title="in the table until it is returned"
    )
    for name, values in (("wait_for", ours), ("the sample's poll loop", theirs)):
        cuts = statistics.quantiles(values, n=20)
        table.add_row(
            name, *(f"{value * 1000:,.0f}" for value in (statistics.median(values), cuts[-1], max(values)))
        )
    rates = Table(
        "inputs in flight", "none arrives", "all arrive after 0.5 s", title="Query calls per second"
    )
    for inputs in silent:
        rates.add_row(str(inputs), f"{silent[inputs]:.1f}", f"{busy[inputs]:.1f}")
    console = Console()
    console.print(table, rates)


if __name__ == "__main__":
    main()
