"""Measures the reads per second while 1, 10, 100 and 1,000 waits are in flight.

The first reference is a thread for each wait that looks as often as ours, and so returns as early. The second
one is the sample's poll loop in a thread for each wait, which reads less and returns later.
"""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.figures import Figure, run
from benchmarks.imagined_results import listener_of, pretend_to_send, read_one, results_table, write_all
from benchmarks.sample.polling import poll
from event_harness.aws.targets import Target
from event_harness.listening.listener import Listener
from event_harness.results.sent import Sent

WINDOW = 8.0  # seconds between the send and the arrival of all results
FEW, NUMBERS = (1, 10), (100, 1000)
MOST_READERS = 100  # more readers than that are too much for the emulator
BOUNDS = {100: {"median ratio": 1 / 20}}
EACH_ALONE = "a thread for each wait, which looks as often"
POLL = "a thread for each wait, with the sample's poll loop"


def measure(quick: bool) -> list[Figure]:
    """Wait for many results that all arrive at the end of a window."""
    window = 1.0 if quick else WINDOW
    with results_table() as target:
        # Few waits disturb nothing: all their sides run at the same time.
        with ThreadPoolExecutor(len(FEW)) as pool:
            figures = [
                one for some in pool.map(lambda few: _figures(target, few, window), FEW) for one in some
            ]
        for number in () if quick else NUMBERS:
            figures += _figures(target, number, window)
    if not quick:
        first, last = figures[0].ours[0], figures[-1].ours[0]
        case = f"{NUMBERS[-1]:,} waits / 1 wait"
        figures.append(
            Figure("our reads a second", case, "reads/s", [last], [first], "one wait", {"median ratio": 1.5})
        )
    return figures


def _figures(target: Target, number: int, window: float) -> list[Figure]:
    """The figures of a number of waits: all sides at the same time if they are few, else in turn."""
    case = f"{number:,} waits in flight"
    with ThreadPoolExecutor(3 if number in FEW else 1) as pool:
        ours = pool.submit(_ours, target, number, window)
        alone = pool.submit(_each_alone, target, number, window) if number <= MOST_READERS else None
        polled = pool.submit(_polled, target, number, window)
    found = [ours.result()]
    bounds = BOUNDS.get(number, {})
    of_threads = (
        [Figure("reads a second", case, "reads/s", found, [alone.result()], EACH_ALONE, bounds)]
        if alone
        else []
    )
    return [*of_threads, Figure("reads a second, poll loop", case, "reads/s", found, [polled.result()], POLL)]


def _ours(target: Target, number: int, window: float) -> float:
    listener = listener_of(target, f"ours{number}")
    sents = [pretend_to_send(listener, one) for one in range(number)]
    began = time.monotonic()
    writer = threading.Timer(window, lambda: write_all(target, sents))
    writer.start()
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(lambda sent: _arrived(listener, sent), sents))
    return listener.reader.queries / (time.monotonic() - began)


def _arrived(listener: Listener, sent: Sent) -> None:
    listener.wait_for(sent)


def _each_alone(target: Target, number: int, window: float) -> float:
    listeners = [listener_of(target, f"alone{number}-{one}") for one in range(number)]
    sents = [pretend_to_send(listener, 0) for listener in listeners]
    began = time.monotonic()
    writer = threading.Timer(window, lambda: write_all(target, sents))
    writer.start()
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(_arrived, listeners, sents))
    return sum(listener.reader.queries for listener in listeners) / (time.monotonic() - began)


def _polled(target: Target, number: int, window: float) -> float:
    sents = [Sent(f"poll{number}/{one}", "source", 0.0, "input", 5) for one in range(number)]
    reads: list[int] = []

    def wait(sent: Sent) -> None:
        """Poll for one result."""

        def read() -> object:
            """Count and read."""
            reads.append(1)
            return read_one(target, sent)

        poll(read, limit=120)

    began = time.monotonic()
    writer = threading.Timer(window, lambda: write_all(target, sents))
    writer.start()
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(wait, sents))
    return len(reads) / (time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
