"""Measures how late a wait returns. The benchmark itself writes the results into both tables.

So it knows when each result is there, and measures nothing but the wait.
"""

import random
import statistics
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks.comparison.bench import Bench
from benchmarks.comparison.verdicts import READS, Counting, Row, Verdict
from benchmarks.sample.polling import PolledTest, poll
from event_harness.results.sent import Sent

SHORTEST = 0.05  # seconds that the imagined system takes at least; log-uniform up to `bench.effort.longest`
AT_ONCE = 4
LATEST = 1.2  # seconds that a wait may return late: the longest pause between two looks, and an answer
SEED = 1


class Imagined:
    """One result that is written later.

    Args:
        delay: Seconds from now.
        write: Writes it.
    """

    def __init__(self, delay: float, write: Callable[[], object]) -> None:
        self._write = write
        self._there = 0.0
        self._written = threading.Event()
        threading.Timer(delay, self._put).start()

    def _put(self) -> None:
        self._write()
        self._there = time.monotonic()
        self._written.set()

    def overslept(self) -> float:
        """Seconds since the result was there. 0 if the wait ended before the writer had its answer."""
        now = time.monotonic()
        self._written.wait()
        return max(0.0, now - self._there)


def oversleep(bench: Bench) -> Row:
    """How long a result is there before its wait returns, with a few waits at a time."""
    sample, ours = _both(bench, bench.effort.waits, AT_ONCE)
    case = f"a system that takes {SHORTEST:g} to {bench.effort.longest:g} s: oversleeping"
    return Row(case, sample, ours, ours.passed, timed=True)


def flight(bench: Bench, inputs: int = 50) -> Row:
    """The same with many inputs in flight. Event-harness awaits all of them with one Query per look."""
    reader = bench.ours.listener.reader
    looks, queries = reader.looks, reader.queries
    inputs = round(inputs * bench.effort.in_flight)
    sample, ours = _both(bench, inputs, inputs)
    kept = reader.queries - queries <= reader.looks - looks
    return Row(f"the same, {inputs} inputs in flight", sample, ours, kept)


def _both(bench: Bench, waits: int, at_once: int) -> tuple[Verdict, Verdict]:
    """Wait for results with the same delays both ways."""
    rng = random.Random(SEED)
    delays = [SHORTEST * (bench.effort.longest / SHORTEST) ** rng.random() for _ in range(waits)]
    return bench.effort.both(
        partial(_waited, bench.sample.target, partial(_sample, bench), delays, at_once),
        partial(_waited, bench.ours.target, partial(_ours, bench), delays, at_once),
    )


def _waited(
    target: Counting, wait: Callable[[float], float], delays: Sequence[float], at_once: int
) -> Verdict:
    before = len(target.calls)
    with ThreadPoolExecutor(at_once) as pool:
        overslept = list(pool.map(wait, delays))
    made = Counter(target.calls[before:])
    figures = statistics.median(overslept), statistics.quantiles(overslept, n=20)[-1], max(overslept)
    median, high, worst = (f"{seconds * 1000:,.0f} ms" for seconds in figures)
    reads = " and ".join(f"{made[name]} {name}" for name in READS if made[name])
    return Verdict(
        f"median {median}, 95th percentile {high}, worst {worst}; {reads} in all",
        reads=sum(made[name] for name in READS) / len(delays),
        passed=figures[2] <= LATEST,
    )


def _sample(bench: Bench, delay: float) -> float:
    test = PolledTest(bench.sample.target, bench.sample.system, str(uuid.uuid4()))
    item = {"id": {"S": test.key}, "message": {"S": "HELLO"}}
    result = Imagined(delay, lambda: _put(bench, test.system.table, item))
    assert poll(test.read) == "HELLO"
    return result.overslept()


def _ours(bench: Bench, delay: float) -> float:
    listener = bench.ours.listener
    correlation_id = f"{listener.session_id}/{uuid.uuid4()}"
    sent = Sent(correlation_id, "source", time.time(), "an imagined input", 5)
    listener.inflight.noticed()  # as a producer does
    result = Imagined(delay, lambda: _put(bench, listener.resources.results.table, _item(sent)))
    assert listener.wait_for(sent).text == "HELLO"
    return result.overslept()


def _item(sent: Sent) -> dict[str, dict[str, str]]:
    """The item that the event listener would write."""
    now = str(int(time.time() * 1000))
    return {
        "session_id": {"S": sent.session_id},
        "event_id": {"S": f"destination:{sent.case_id}"},
        "correlation_id": {"S": sent.correlation_id},
        "received_at": {"N": now},
        "first_received_at": {"N": now},
        "deliveries": {"N": "1"},
        "source": {"S": "destination"},
        "source_type": {"S": "s3"},
        "size": {"N": "5"},
        "body_kind": {"S": "text"},
        "body": {"S": "HELLO"},
        "metadata": {"S": "{}"},
    }


def _put(bench: Bench, table: str, item: dict[str, dict[str, str]]) -> None:
    bench.sample.target.client("dynamodb").put_item(TableName=table, Item=item)
