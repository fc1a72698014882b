"""Measures how many small objects a second pass the sample system on the local emulator, and the memory.

Objects are sent as a test sends them: `send_many`, paced by the harness. No event may be lost.
"""

import os
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
from event_harness.system.correlation import new_session_id

ROOT = Path(__file__).parents[1]
NUMBERS, QUICK = (500, 2000), (20,)
IN_FLIGHT = int(os.environ.get("IN_FLIGHT", 4))


def measure(quick: bool) -> list[Figure]:
    """Deploy the sample system, and send objects through it."""
    figures = []
    with orderly_interrupts():
        session = Session(settings(ROOT, {}), ROOT, say=lambda _line: None)
        try:
            system = session.system()
            for number in QUICK if quick else NUMBERS:
                listener = Listener(
                    system.resources, system.target, new_session_id(), sla=120, in_flight=InFlight(IN_FLIGHT)
                )
                producer = producers_for(listener)["source"]
                memory = Memory()
                began = time.monotonic()
                with memory:
                    collected = listener.collect(
                        producer.send_many(f"text {one}" for one in range(number)), timeout=600
                    )
                seconds = time.monotonic() - began
                assert not collected.missing, f"{len(collected.missing)} of {number} are lost"
                case = f"{number:,} objects"
                figures += [
                    Figure("throughput of the sample, local", case, "objects/s", [number / seconds]),
                    Figure("memory of all processes", case, "MB", [memory.peak], bounds={"most": 2000}),
                ]
        finally:
            session.close()
    return figures


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
