"""Measures the time and the memory that the text processor needs for objects of several sizes.

The reference reads the whole object, decodes it, converts it and puts it. Each side runs in a process of
its own, on a local AWS emulator of the benchmark. The process first handles a small object, to load its
libraries and open its connections, and then the large one. The kernel reports the peak. It needs Linux.
"""

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

from benchmarks.figures import Figure, run
from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target

MB = 1_000_000
BOUND = 100  # MB over the idle process: the guarantee
SOURCE, DESTINATION = "benchmark-source", "benchmark-destination"
FUNCTION = Path(__file__).parents[1] / "functions" / "text_processor"
ASCII = "The quick brown fox jumps over the lazy dog. " * 20
TEXTS = {"ASCII": (ASCII, ""), "one emoji": (ASCII, "\N{SLIGHTLY SMILING FACE}")}
"""Per case the block that fills the object, and what its last block ends with."""
SIZES = {"1 KB": 1_000, "1 MB": MB, "50 MB": 50 * MB, "200 MB": 200 * MB}  # bytes, about
TIMES = {"1 KB": 9, "1 MB": 5, "50 MB": 3, "200 MB": 1}
AGAINST = "read, decode, upper, put"


def measure(quick: bool) -> list[Figure]:
    """Process objects of all sizes both ways, in turn."""
    sizes = {"1 MB": MB} if quick else SIZES
    figures = []
    with (
        tempfile.TemporaryDirectory(prefix="text-processor-") as directory,
        LocalEmulator.start(Path(directory)) as aws,
    ):
        target = aws.target()
        _create_buckets(target)
        for size, number in sizes.items():
            for case, (block, end) in TEXTS.items():
                figures += _compare(
                    target, f"{size}, {case}", _Text(block, end, number), 1 if quick else TIMES[size]
                )
    return figures


class _Text:
    """A text of about `number` bytes: a block many times, and an end."""

    def __init__(self, block: str, end: str, number: int) -> None:
        self.block = block
        self.blocks = max(1, number // len(block.encode()))
        self.end = end
        self.large = number >= 50 * MB

    def upper_digest(self) -> str:
        """SHA-256 of the text in upper case."""
        digest = hashlib.sha256()
        for _ in range(self.blocks):
            digest.update(self.block.upper().encode())
        digest.update(self.end.upper().encode())
        return digest.hexdigest()


def _compare(target: Target, case: str, text: _Text, times: int) -> list[Figure]:
    """The figures of one size, both ways in turn."""
    _put_input(target, text)
    environ = target.environ(os.environ) | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DESTINATION_BUCKET": DESTINATION,
        "POWERTOOLS_SERVICE_NAME": "benchmark",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }
    measured: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(times):
        for way in WAYS:
            command = [sys.executable, __file__, way]
            output = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE).stdout
            measured[way].append(json.loads(output))
            assert _digest_of_output(target) == text.upper_digest(), f"{case}, {way}: the output is wrong"
    seconds, megabytes = (
        {way: [one[unit] for one in measured[way]] for way in WAYS} for unit in ("seconds", "megabytes")
    )
    ratio = {"median ratio": 0.7 if text.large else 1.1}
    return [
        Figure("text processor, time", case, "s", seconds["in parts"], seconds["at once"], AGAINST, ratio),
        Figure(
            "text processor, memory over idle",
            case,
            "MB",
            megabytes["in parts"],
            megabytes["at once"],
            AGAINST,
            {"most": BOUND},
        ),
    ]


def _create_buckets(target: Target) -> None:
    for bucket in (SOURCE, DESTINATION):
        target.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": target.region}
        )


def _put_input(target: Target, text: _Text) -> None:
    s3 = target.client("s3")
    s3.put_object(Bucket=SOURCE, Key="small.txt", Body=text.block.encode())
    with tempfile.TemporaryFile() as file:
        file.writelines(text.block.encode() for _ in range(text.blocks))
        file.write(text.end.encode())
        file.seek(0)
        s3.put_object(Bucket=SOURCE, Key="large.txt", Body=file)


def _digest_of_output(target: Target) -> str:
    """Return the SHA-256 of the large output, and delete the outputs before the next version runs."""
    s3 = target.client("s3")
    digest = hashlib.sha256()
    for chunk in s3.get_object(Bucket=DESTINATION, Key="large.txt")["Body"].iter_chunks(MB):
        digest.update(chunk)
    for key in ("small.txt", "large.txt"):
        s3.delete_object(Bucket=DESTINATION, Key=key)
    return digest.hexdigest()


def _process(way: str) -> dict[str, float]:
    """Process the small and then the large object in this process. Return the growth and the time."""
    sys.path.insert(0, str(FUNCTION))
    app: Any = importlib.import_module("app")
    WAYS[way](app, "small.txt")
    idle = _memory("VmRSS")
    start = time.perf_counter()
    WAYS[way](app, "large.txt")
    return {"megabytes": (_memory("VmHWM") - idle) / MB, "seconds": time.perf_counter() - start}


def _memory(field: str) -> int:
    """Return the memory of this process in bytes. VmRSS is the present size, VmHWM the largest so far."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found, f"/proc/self/status has no {field}; this benchmark needs Linux"
    return int(found[1]) * 1024


def _in_parts(app: Any, key: str) -> None:
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


def _at_once(app: Any, key: str) -> None:
    """The naive version: read everything, convert it, write it."""
    s3 = app.s3
    text = s3.get_object(Bucket=SOURCE, Key=key)["Body"].read().decode()
    s3.put_object(Bucket=DESTINATION, Key=key, Body=text.upper().encode())


WAYS = {"in parts": _in_parts, "at once": _at_once}


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in WAYS:
        print(json.dumps(_process(sys.argv[1])))
    else:
        sys.exit(run(measure, __doc__))
