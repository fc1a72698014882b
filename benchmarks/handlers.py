"""Runs handlers of functions in processes of their own, ours and a reference in turn, on one emulator."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.imagined_results import TABLE, create_table
from benchmarks.lambda_events import SOURCES
from event_harness.aws.targets import Target

ROOT = Path(__file__).parents[1]
FUNCTIONS = ROOT / "functions"
USUAL = Path(__file__).with_name("sample") / "functions"
SOURCE, DESTINATION = "benchmark-source", "benchmark-destination"


@dataclass(frozen=True)
class Sides:
    """Two handlers that do the same.

    Attributes:
        ours: Folder of our function.
        reference: Folder of the reference.
    """

    ours: Path
    reference: Path

    def run(
        self, code: str, arguments: Sequence[str], times: int, environ: Mapping[str, str]
    ) -> tuple[list[float], list[float]]:
        """Run code beside each of them, in turn.

        Args:
            code: Python that imports `app` and prints seconds.
            arguments: Of the code.
            times: How often.
            environ: The environment of the processes.

        Returns:
            Milliseconds: ours, and the reference's.
        """
        ours, reference = [], []
        for _ in range(times):
            ours.append(_milliseconds(code, arguments, self.ours, environ))
            reference.append(_milliseconds(code, arguments, self.reference, environ))
        return ours, reference


LISTENER = Sides(FUNCTIONS / "event_listener", USUAL / "put_per_event")
TEXT_PROCESSOR = Sides(FUNCTIONS / "text_processor", USUAL / "text_resource")


def make_resources(target: Target) -> None:
    """Make the tables and buckets that the handlers need."""
    create_table(target)
    keys = [("session_id", "HASH"), ("event_id", "RANGE")]
    target.client("dynamodb").create_table(
        TableName="plain",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
    )
    for bucket in (SOURCE, DESTINATION):
        target.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": target.region}
        )


def environ(target: Target) -> dict[str, str]:
    """The environment of the handlers."""
    return {
        **target.environ(os.environ),
        "RESULTS_TABLE": TABLE,
        "PLAIN_TABLE": "plain",
        "OVERFLOW_BUCKET": "overflow",
        "RESULT_TTL_SECONDS": "3600",
        "DESTINATION_BUCKET": DESTINATION,
        "POWERTOOLS_SERVICE_NAME": "benchmark",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "SOURCES": SOURCES,
    }


def _milliseconds(code: str, arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> float:
    paths = os.pathsep.join(map(str, (folder, ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**environ, "PYTHONPATH": paths},
    )
    return 1000 * float(done.stdout.splitlines()[-1])  # what the handler logs comes before
