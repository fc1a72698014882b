"""Measures the memory that the text processor needs for a large object, and that of a naive version.

Run: `python -m benchmarks.text_processor_memory [MEGABYTES]` (default 200; needs Linux and the local extra).

It starts a local AWS emulator of its own. Each version runs in a process of its own. The process first
handles a small object, to load its libraries and open its connections, and then the large one. The kernel
reports the peak. Exit code 1 if a result is wrong, or if the text processor needs more than 100 MB over the
idle process.
"""

import argparse
import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console
from rich.table import Table

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target

MB = 1_000_000
BOUND = 100  # MB over the idle process: the guarantee
SOURCE, DESTINATION = "benchmark-source", "benchmark-destination"
FUNCTION = Path(__file__).parents[1] / "functions" / "text_processor"
BLOCK = "Straße, ŉandu, ﬁle, ΐ; الخط العربي, 日本語, हिन्दी, кириллица, emoji 🙂.\n" * 100


def main() -> int:
    """Measure both versions and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("megabytes", nargs="?", type=int, default=200, help="size of the object")
    parser.add_argument("--quick", action="store_true", help="20 MB, to see that it works")
    parser.add_argument("--way", choices=sorted(WAYS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments.way)))
        return 0
    return compare(20 if arguments.quick else arguments.megabytes)


def compare(megabytes: int) -> int:
    """Measure each version in a process of its own, on a fresh local AWS emulator."""
    table = Table(title=f"{megabytes} MB of text to upper case", title_justify="left")
    for column in ("way", "peak over idle", "time", "result"):
        table.add_column(column, justify="left" if column == "way" else "right")
    good = True
    with (
        tempfile.TemporaryDirectory(prefix="text-processor-memory-") as directory,
        LocalEmulator.start(Path(directory)) as aws,
    ):
        target = aws.target()
        expected = make_input(target, megabytes)
        environ = target.environ(os.environ) | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DESTINATION_BUCKET": DESTINATION,
            "POWERTOOLS_SERVICE_NAME": "benchmark",
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        }
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way]
            output = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE).stdout
            measured = json.loads(output)
            right = digest_of_output(target) == expected
            good &= right and (way != "in parts" or measured["megabytes"] <= BOUND)
            table.add_row(
                way,
                f"{measured['megabytes']:.0f} MB",
                f"{measured['seconds']:.1f} s",
                "right" if right else "wrong",
            )
    Console().print(table)
    return 0 if good else 1


def make_input(target: Target, megabytes: int) -> str:
    """Put the objects into the source bucket. Return the SHA-256 of the large one in upper case."""
    s3 = target.client("s3")
    for bucket in (SOURCE, DESTINATION):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": target.region})
    block = BLOCK.encode()
    blocks = megabytes * MB // len(block)
    s3.put_object(Bucket=SOURCE, Key="small.txt", Body=block)
    with tempfile.TemporaryFile() as file:
        file.writelines(block for _ in range(blocks))
        file.seek(0)
        s3.put_object(Bucket=SOURCE, Key="large.txt", Body=file)
    digest = hashlib.sha256()
    for _ in range(blocks):
        digest.update(BLOCK.upper().encode())
    return digest.hexdigest()


def digest_of_output(target: Target) -> str:
    """Return the SHA-256 of the large output, and delete the output before the next version runs."""
    s3 = target.client("s3")
    digest = hashlib.sha256()
    for chunk in s3.get_object(Bucket=DESTINATION, Key="large.txt")["Body"].iter_chunks(MB):
        digest.update(chunk)
    for key in ("small.txt", "large.txt"):
        s3.delete_object(Bucket=DESTINATION, Key=key)
    return digest.hexdigest()


def measure(way: str) -> dict[str, float]:
    """Process the small and then the large object in this process. Return the growth and the time."""
    sys.path.insert(0, str(FUNCTION))
    app: Any = importlib.import_module("app")
    WAYS[way](app, "small.txt")
    idle = memory("VmRSS")
    start = time.perf_counter()
    WAYS[way](app, "large.txt")
    return {"megabytes": (memory("VmHWM") - idle) / MB, "seconds": time.perf_counter() - start}


def memory(field: str) -> int:
    """Return the memory of this process in bytes. VmRSS is the present size, VmHWM the largest so far."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found, f"/proc/self/status has no {field}; this benchmark needs Linux"
    return int(found[1]) * 1024


def in_parts(app: Any, key: str) -> None:
    """Call the handler of the deployed function."""
    etag = app.s3.head_object(Bucket=SOURCE, Key=key)["ETag"].strip('"')
    s3 = {"bucket": {"name": SOURCE}, "object": {"key": key, "eTag": etag, "sequencer": "01"}}
    context = SimpleNamespace(
        function_name="benchmark",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:eu-west-1:000000000000:function:benchmark",
        aws_request_id="benchmark",
        get_remaining_time_in_millis=lambda: 900_000,
    )
    app.handler({"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]}, context)


def at_once(app: Any, key: str) -> None:
    """The naive version: read everything, convert it, write it."""
    s3 = app.s3
    text = s3.get_object(Bucket=SOURCE, Key=key)["Body"].read().decode()
    s3.put_object(Bucket=DESTINATION, Key=key, Body=text.upper().encode())


WAYS = {"in parts": in_parts, "at once": at_once}


if __name__ == "__main__":
    sys.exit(main())
