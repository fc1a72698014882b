"""Measures the event listener with batches of 100 records: of a queue, of Kinesis, of a DynamoDB stream.

The reference puts one item for each record. Both sides work in processes of their own, in turn, on one
emulator.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, run
from benchmarks.handlers import LISTENER, environ, make_resources
from event_harness.aws.emulator import LocalEmulator

ROUNDS, QUICK_ROUNDS, BATCHES = 3, 1, 5
BOUND = 0.25
KINDS = ("sqs", "kinesis", "dynamodb")
MANY = """
import sys, time
import app
from benchmarks.lambda_events import batch, context
kind, batches = sys.argv[1], int(sys.argv[2])
app.handler(batch(kind, 100, 0), context())
began = time.perf_counter()
for number in range(1, batches + 1):
    app.handler(batch(kind, 100, number), context())
print((time.perf_counter() - began) / batches)
"""


def measure(quick: bool) -> list[Figure]:
    """Give batches of each kind to both."""
    figures = []
    with (
        tempfile.TemporaryDirectory(prefix="listener-bench-") as directory,
        LocalEmulator.start(Path(directory)) as aws,
    ):
        target = aws.target()
        make_resources(target)
        for kind in KINDS:
            ours, reference = LISTENER.run(
                MANY, [kind, str(BATCHES)], QUICK_ROUNDS if quick else ROUNDS, environ(target)
            )
            figures.append(
                Figure(
                    "listener, 100 records",
                    kind,
                    "ms",
                    ours,
                    reference,
                    "a put per record",
                    {"median ratio": BOUND},
                )
            )
    return figures


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
