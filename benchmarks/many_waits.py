"""Measures what 1,000 waits and 50,000 items in one session cost the process that waits."""

import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.figures import Figure, run
from benchmarks.imagined_results import listener_of, pretend_to_send, results_table, write_all
from event_harness.results.sent import Sent

WAITS, ITEMS, WINDOW = 1000, 50_000, 20.0
# The emulator takes 2,000 items a second or more, and a partition of DynamoDB 1,000. Looks read the last ten
# seconds again. After this pause they hold no more than on AWS, and a look knows it.
PAUSE = 6.0


def measure(quick: bool) -> list[Figure]:
    """Wait for many results while the session already has many items; the results come at the end."""
    waits, items, window = (20, 500, 1.0) if quick else (WAITS, ITEMS, WINDOW)
    with results_table() as target:
        listener = listener_of(target, "many", sla=900)  # on a busy machine, too, none gives up
        write_all(target, [Sent(f"many/old{one}", "source", 0.0, "input", 5) for one in range(items)])
        assert listener.reader.see(listener.clock(), 900)
        time.sleep(0 if quick else PAUSE)
        assert listener.reader.see(listener.clock(), 900)
        before_memory = _peak()
        sents = [pretend_to_send(listener, one) for one in range(waits)]
        later = threading.Timer(window, lambda: write_all(target, sents))
        with ThreadPoolExecutor(waits) as pool:
            futures = [pool.submit(listener.wait_for, sent) for sent in sents]
            time.sleep(min(2.0, window / 2))  # the threads have begun
            later.start()
            began, used = time.monotonic(), _cpu()
            time.sleep(window * 0.9)
            share = (_cpu() - used) / (time.monotonic() - began)
            assert not any(future.done() for future in futures)
            for future in futures:
                future.result()
    return [
        Figure(
            "CPU of the waiting process",
            f"{waits:,} waits, {items:,} items",
            "% of a core",
            [share * 100],
            bounds={"most": 10},
        ),
        Figure(
            "memory that the waits add",
            f"{waits:,} waits, {items:,} items",
            "MB",
            [_peak() - before_memory],
            bounds={"most": 200},
        ),
    ]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
