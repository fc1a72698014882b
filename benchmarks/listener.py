"""Measures the event listener: its cold start, and batches of 100 records.

The reference of the start is a handler with `boto3.resource`, Logger and Tracer at module level. That of the
batches puts one item for each record. Both sides work in processes of their own, in turn, on one emulator.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, run
from benchmarks.listener_events import SOURCES
from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target

ROOT = Path(__file__).parents[1]
LISTENER = ROOT / "functions" / "event_listener"
REFERENCE = Path(__file__).with_name("sample") / "functions" / "put_per_event"
STARTS, QUICK_STARTS = 9, 2
ROUNDS, QUICK_ROUNDS, BATCHES = 3, 1, 5
KINDS = ("sqs", "kinesis", "dynamodb")
# The child prints seconds of processor time: other processes disturb them least.
IMPORT = "import time; began = time.process_time(); import app; print(time.process_time() - began)"
FIRST = """
import time; began = time.process_time()
import app
from benchmarks.listener_events import batch, context
app.handler(batch("sqs", 1, 0), context())
print(time.process_time() - began)
"""
MANY = """
import sys, time
import app
from benchmarks.listener_events import batch, context
kind, batches = sys.argv[1], int(sys.argv[2])
app.handler(batch(kind, 100, 0), context())
began = time.perf_counter()
for number in range(1, batches + 1):
    app.handler(batch(kind, 100, number), context())
print((time.perf_counter() - began) / batches)
"""


def measure(quick: bool) -> list[Figure]:
    """Start both sides, then give batches to both."""
    starts, rounds = (QUICK_STARTS, QUICK_ROUNDS) if quick else (STARTS, ROUNDS)
    with (
        tempfile.TemporaryDirectory(prefix="listener-bench-") as directory,
        LocalEmulator.start(Path(directory)) as aws,
    ):
        target = aws.target()
        _make_tables(target)
        environ = _environ(target)
        figures = [
            _compared(row, "cold", "ms CPU", code, [], starts, environ, 0.5)
            for row, code in (
                ("listener's import", IMPORT),
                ("listener's first invocation", FIRST),
            )
        ]
        figures += [
            _compared("listener, 100 records", kind, "ms", MANY, [kind, str(BATCHES)], rounds, environ, 0.25)
            for kind in KINDS
        ]
    return figures


def _compared(
    row: str,
    case: str,
    unit: str,
    code: str,
    arguments: list[str],
    times: int,
    environ: dict[str, str],
    bound: float,
) -> Figure:
    ours: list[float] = []
    reference: list[float] = []
    for _ in range(times):
        for side, values in ((LISTENER, ours), (REFERENCE, reference)):
            values.append(1000 * float(_output(code, arguments, side, environ)))
    against = "module-level resource, Logger, Tracer" if case == "cold" else "a put per record"
    return Figure(row, case, unit, ours, reference, against, {"median ratio": bound})


def _output(code: str, arguments: list[str], side: Path, environ: dict[str, str]) -> str:
    paths = os.pathsep.join(map(str, (side, ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=environ | {"PYTHONPATH": paths},
    )
    return done.stdout.splitlines()[-1]  # what the handler logs comes before


def _environ(target: Target) -> dict[str, str]:
    return {
        **target.environ(os.environ),
        "RESULTS_TABLE": "results",
        "PLAIN_TABLE": "plain",
        "OVERFLOW_BUCKET": "overflow",
        "RESULT_TTL_SECONDS": "3600",
        "POWERTOOLS_SERVICE_NAME": "listener",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "SOURCES": SOURCES,
    }


def _make_tables(target: Target) -> None:
    dynamodb: Any = target.client("dynamodb")
    keys = [("session_id", "HASH"), ("event_id", "RANGE")]
    common = {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
    }
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name, _ in keys]
    dynamodb.create_table(TableName="plain", AttributeDefinitions=attributes, **common)
    index = {
        "IndexName": "by_arrival",
        "KeySchema": [
            {"AttributeName": "session_id", "KeyType": "HASH"},
            {"AttributeName": "received_at", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }
    arrival = {"AttributeName": "received_at", "AttributeType": "N"}
    dynamodb.create_table(
        TableName="results",
        AttributeDefinitions=[*attributes, arrival],
        LocalSecondaryIndexes=[index],
        **common,
    )


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
