"""Measures the cold start of both functions: the import of the handler, alone and with a first invocation.

The reference is a usual handler: `boto3.resource`, Logger and Tracer at module level. Each start is a process
of its own, and both sides work in turn, on one emulator.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, run
from benchmarks.handlers import LISTENER, SOURCE, TEXT_PROCESSOR, environ, make_resources
from event_harness.aws.emulator import LocalEmulator

STARTS, QUICK_STARTS = 15, 1
BOUND = 0.5
AGAINST = "module-level resource, Logger, Tracer"
# The child prints seconds of processor time: other processes disturb them least.
IMPORT = "import time; began = time.process_time(); import app; print(time.process_time() - began)"
FIRST = """
import sys, time
from benchmarks.lambda_events import batch, context, created
event = batch("sqs", 1, 0) if sys.argv[1] == "listener" else created(sys.argv[2], "small.txt", sys.argv[3])
context = context()
began = time.process_time()
import app
app.handler(event, context)
print(time.process_time() - began)
"""


def measure(quick: bool) -> list[Figure]:
    """Start both sides of both functions several times."""
    starts = QUICK_STARTS if quick else STARTS
    figures = []
    with (
        tempfile.TemporaryDirectory(prefix="cold-start-") as directory,
        LocalEmulator.start(Path(directory)) as aws,
    ):
        target = aws.target()
        make_resources(target)
        etag = target.client("s3").put_object(Bucket=SOURCE, Key="small.txt", Body=b"a text")["ETag"]
        for name, sides in (("text processor", TEXT_PROCESSOR), ("listener", LISTENER)):
            for case, code in (("import", IMPORT), ("import and first invocation", FIRST)):
                ours, reference = sides.run(code, [name, SOURCE, etag], starts, environ(target))
                figures.append(
                    Figure(
                        f"cold start of the {name}",
                        case,
                        "ms CPU",
                        ours,
                        reference,
                        AGAINST,
                        {"median ratio": BOUND},
                    )
                )
    return figures


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
