"""AWS Lambda handler of the text processor: S3 events in, upper-case objects out.

Environment: `DESTINATION_BUCKET`; `PART_SIZE_BYTES` (default 8 MiB; the minimum of S3 is 5 MiB). A text of at
most this size is read as a whole. A larger one that must be written in parts has parts of this size.
"""

import gc

gc.disable()  # a cold start makes many objects that stay: to look for garbage meanwhile takes a tenth of it

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Tracer
from deadline import Deadline
from failures import MalformedEventError, RecordsFailedError, TextProcessorError
from notifications import read_record, records_of
from processor import TextProcessor
from storage import s3_client

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
s3 = s3_client()
processor = TextProcessor(
    s3,
    destination=os.environ["DESTINATION_BUCKET"],
    part_size=int(os.environ.get("PART_SIZE_BYTES", 8 * 1024 * 1024)),
)
gc.freeze()  # else the next collection would look at all of them at once
gc.enable()


def traced(handler: Callable[..., None]) -> Callable[..., None]:
    """Trace a handler if it runs on AWS: only AWS has a daemon that receives traces.

    Elsewhere no Tracer is created: its SDK writes to `/tmp/.aws-xray` on import.
    """
    if "AWS_XRAY_DAEMON_ADDRESS" not in os.environ:
        return handler
    return Tracer(patch_modules=["botocore"]).capture_lambda_handler(handler, capture_response=False)


@logger.inject_lambda_context(clear_state=True)
@traced
def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    """Process each record of an S3 event separately: a bad record doesn't stop the good ones.

    Raises:
        MalformedEventError: The event is not from S3.
        RecordsFailedError: Some records failed; the message names each with its cause. Lambda then retries
            the whole event, and finally sends it to the failure queue. A retry skips finished records.
    """
    deadline = Deadline(context.get_remaining_time_in_millis)
    failures = [_attempt(number, record, deadline) for number, record in enumerate(records_of(event))]
    failed = [failure for failure in failures if failure]
    if failed:
        raise RecordsFailedError(f"{len(failed)} of {len(failures)} records failed: {'; '.join(failed)}")


def _attempt(number: int, record: object, deadline: Deadline) -> str | None:
    """Process one record; return its error, if any, so that the other records are still processed."""
    try:
        version = read_record(record)
    except MalformedEventError as error:
        logger.error("failed", extra={"record": number, "error": str(error)})
        return f"record {number}: {type(error).__name__}: {error}"

    with logger.append_context_keys(correlation_id=version.key):
        logger.info("processing", extra={"source": str(version), "etag": version.etag})
        try:
            outcome = processor.process(version, deadline)
        except Exception as error:
            # Our own errors explain themselves; any other error is logged with its traceback.
            unexpected = not isinstance(error, TextProcessorError)
            logger.error("failed", extra={"error": f"{type(error).__name__}: {error}"}, exc_info=unexpected)
            return f"{version}: {type(error).__name__}: {error}"
        logger.info(outcome.action, extra={"destination": outcome.destination, "bytes": outcome.size})
    return None
