"""Measures the time and the memory that the text processor needs for objects of several sizes.

The reference reads the whole object, decodes it, converts it and puts it. For each object, each side is a
process of its own on one local AWS emulator, for small objects several of them. It first handles a small
object, which loads its libraries and opens its connections. Then both handle the object in turn. The time is
that of the call of the handler. The kernel reports the peak of the memory. It needs Linux.

For large objects it also shows whose time that is: the processor time of the function and of the emulator.
The emulator works on one processor, and needs as long for both sides: each puts the object in one piece.
"""

import hashlib
import importlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, run
from benchmarks.lambda_events import context, created
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
TIMES = {"1 KB": 50, "1 MB": 20, "50 MB": 9, "200 MB": 3}
PAIRS = {"1 KB": 8, "1 MB": 3, "50 MB": 1, "200 MB": 1}
"""Pairs of processes. At 1 KB, two processes of one side differ by a twentieth, so one pair can't tell."""
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
                text = _Text(block, end, number)
                pairs, times = (1, 1) if quick else (PAIRS[size], TIMES[size])
                figures += _compare(aws, f"{size}, {case}", text, pairs, times)
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


@dataclass
class _Measured:
    """What was measured of one way.

    Attributes:
        seconds: of each object.
        processor: seconds of processor time of the function.
        emulator: seconds of processor time of the emulator.
        memory: MB of each process over itself when idle, at most.
    """

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    emulator: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


class _Side:
    """A process that handles objects one way."""

    def __init__(self, process: "subprocess.Popen[str]", measured: _Measured) -> None:
        self._process = process
        self._measured = measured

    def warm(self, key: str, etag: str) -> None:
        """Handle an object that isn't measured. From then on count the memory."""
        self._asked(key, etag)
        self._asked()

    def handle(self, key: str, etag: str, emulator: int) -> None:
        """Handle an object; keep the seconds that it took, and those of both processors."""
        before = _processor_time(emulator)
        seconds, processor = self._asked(key, etag)
        self._measured.seconds.append(seconds)
        self._measured.processor.append(processor)
        self._measured.emulator.append(_processor_time(emulator) - before)

    def end(self) -> None:
        """Keep the peak of the memory."""
        self._measured.memory += self._asked()

    def _asked(self, *words: str) -> list[float]:
        assert self._process.stdin
        assert self._process.stdout
        print(*words, file=self._process.stdin, flush=True)
        return [float(value) for value in self._process.stdout.readline().split()]


@contextmanager
def _side(way: str, target: Target, measured: _Measured) -> Iterator[_Side]:
    environ = target.environ(os.environ) | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DESTINATION_BUCKET": DESTINATION,
        "POWERTOOLS_SERVICE_NAME": "benchmark",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }
    command = [sys.executable, __file__, way]
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield _Side(process, measured)  # at the end of its input it ends


def _compare(aws: LocalEmulator, case: str, text: _Text, pairs: int, times: int) -> list[Figure]:
    """The figures of one size, both ways in turn."""
    target, ours, reference = aws.target(), _Measured(), _Measured()
    small, large = _put_input(target, text)
    for pair in range(pairs):
        with _side("ours", target, ours) as one, _side("reference", target, reference) as other:
            for side in (one, other):
                side.warm("small.txt", small)
                _delete_output(target, "small.txt")
            for turn in range(times):
                for side in (one, other) if turn % 2 else (other, one):
                    side.handle("large.txt", large, aws.pid)
                    if pair == turn == 0:
                        assert _digest_of_output(target) == text.upper_digest(), (
                            f"{case}: the output is wrong"
                        )
                    _delete_output(target, "large.txt")
            for side in (one, other):
                side.end()
    ratio = {"median ratio": 0.7 if text.large else 1.1}
    memory = "text processor, memory over idle"
    figures = [
        Figure("text processor, time", case, "s", ours.seconds, reference.seconds, AGAINST, ratio),
        Figure(memory, case, "MB", ours.memory, reference.memory, AGAINST, {"most": BOUND}),
    ]
    if text.large:
        function, emulator = (ours.processor, reference.processor), (ours.emulator, reference.emulator)
        figures += [
            Figure("processor time of the text processor", case, "s", *function, AGAINST),
            Figure("processor time of the emulator", case, "s", *emulator, AGAINST),
        ]
    return figures


def _create_buckets(target: Target) -> None:
    for bucket in (SOURCE, DESTINATION):
        target.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": target.region}
        )


def _delete_output(target: Target, key: str) -> None:
    target.client("s3").delete_object(Bucket=DESTINATION, Key=key)


def _put_input(target: Target, text: _Text) -> tuple[str, str]:
    """Put a small and the large object. Return their entity tags."""
    s3 = target.client("s3")
    small = s3.put_object(Bucket=SOURCE, Key="small.txt", Body=text.block.encode())
    with tempfile.TemporaryFile() as file:
        file.writelines(text.block.encode() for _ in range(text.blocks))
        file.write(text.end.encode())
        file.seek(0)
        large = s3.put_object(Bucket=SOURCE, Key="large.txt", Body=file)
    return small["ETag"].strip('"'), large["ETag"].strip('"')


def _digest_of_output(target: Target) -> str:
    """The SHA-256 of the large output."""
    digest = hashlib.sha256()
    for chunk in target.client("s3").get_object(Bucket=DESTINATION, Key="large.txt")["Body"].iter_chunks(MB):
        digest.update(chunk)
    return digest.hexdigest()


def _process(handle: Callable[[dict[str, Any], object], None]) -> None:
    """Handle the objects that the input names, and print the seconds of each.

    An empty line asks for the growth of the memory in MB since the empty line before it.
    """
    idle = 0
    for line in sys.stdin:
        if line.strip():
            key, etag = line.split()
            event, about = created(SOURCE, key, etag), context()
            start, used = time.perf_counter(), time.process_time()
            handle(event, about)
            print(time.perf_counter() - start, time.process_time() - used, flush=True)
        else:
            print((_memory("VmHWM") - idle) / MB, flush=True)
            idle = _memory("VmRSS")


def _processor_time(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def _memory(field: str) -> int:
    """Return the memory of this process in bytes. VmRSS is the present size, VmHWM the largest so far."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found, f"/proc/self/status has no {field}; this benchmark needs Linux"
    return int(found[1]) * 1024


def _ours() -> Callable[[dict[str, Any], object], None]:
    """The handler of the deployed function."""
    sys.path.insert(0, str(FUNCTION))
    handler: Callable[[dict[str, Any], object], None] = importlib.import_module("app").handler
    return handler


def _reference() -> Callable[[dict[str, Any], object], None]:
    """A handler that reads everything, converts it, and writes it."""
    import boto3

    s3 = boto3.client("s3")

    def handler(event: dict[str, Any], _context: object) -> None:
        for record in event["Records"]:
            bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
            text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
            s3.put_object(Bucket=DESTINATION, Key=key, Body=text.upper().encode())

    return handler


WAYS = {"ours": _ours, "reference": _reference}


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in WAYS:
        _process(WAYS[sys.argv[1]]())
    else:
        sys.exit(run(measure, __doc__))
