"""Measures how many small objects a second pass the sample system on the local emulator, and the memory.

Objects are sent as a test sends them: `send_many`, paced by the harness. No event may be lost. The reference
has a fixed limit of 4 in flight. Without a limit, each object of a burst starts a worker of its own in each
function: `UNPACED` objects show what that takes, and 2,000 of them end a machine.
"""

import sys
import threading
import time
from pathlib import Path

import psutil

from benchmarks.figures import Figure, run
from demo.__main__ import settings
from event_harness.deployments.session import Session
from event_harness.listening.listener import Listener
from event_harness.machine.interrupts import orderly_interrupts
from event_harness.producers import producers_for
from event_harness.producers.inflight import InFlight
from event_harness.producers.pacing import in_flight_of
from event_harness.system.correlation import new_session_id
from event_harness.system.deployed_system import DeployedSystem

ROOT = Path(__file__).parents[1]
NUMBERS, QUICK, UNPACED = (500, 2000), (20,), 40
FIXED = 4
AGAINST = "a fixed limit of 4 in flight"


def measure(quick: bool) -> list[Figure]:
    """Deploy the sample system, and send objects through it."""
    figures = []
    with orderly_interrupts():
        session = Session(settings(ROOT, {}), ROOT, say=lambda _line: None)
        try:
            system = session.system()
            for number in QUICK if quick else NUMBERS:
                # A tenth is enough to know the rate of a fixed limit.
                fixed, _ = _sent(system, number if quick else number // 10, InFlight(FIXED))
                paced, memory = _sent(system, number, in_flight_of(system.target, None))
                case = f"{number:,} objects"
                figures += [
                    Figure("throughput of the sample, local", case, "objects/s", [paced], [fixed], AGAINST),
                    Figure("memory of all processes", case, "MB", [memory], bounds={"most": 2000}),
                ]
            if not quick:
                rate, memory = _sent(system, UNPACED, InFlight(None))
                case = f"{UNPACED} objects without a limit"
                figures += [
                    Figure("throughput of the sample, local", case, "objects/s", [rate]),
                    Figure("memory of all processes", case, "MB", [memory]),
                ]
        finally:
            session.close()
    return figures


def _sent(system: DeployedSystem, number: int, in_flight: InFlight) -> tuple[float, float]:
    """Send objects and await all: objects a second, and MB."""
    listener = Listener(system.resources, system.target, new_session_id(), sla=120, in_flight=in_flight)
    producer = producers_for(listener)["source"]
    memory = Memory()
    began = time.monotonic()
    with memory:
        texts = (f"text {one}" for one in range(number))
        collected = listener.collect(producer.send_many(texts), timeout=600)
    seconds = time.monotonic() - began
    assert not collected.missing, f"{len(collected.missing)} of {number} are lost"
    return number / seconds, memory.peak


class Memory:
    """The largest memory of this process and all its descendants, in MB, of four looks a second."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            self.peak = max(self.peak, _memory())


def _memory() -> float:
    this = psutil.Process()
    total = 0
    for process in [this, *this.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
