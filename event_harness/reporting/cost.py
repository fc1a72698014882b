"""What the events of a session cost on AWS, with the formula of each part."""

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from event_harness.aws.prices import AS_OF, PRICES, REGION, Use
from event_harness.tracing.invocations import Invocation
from event_harness.tracing.timeline import Timeline

_MEMORY = re.compile(r"\bMemory Size: (\d+) MB")
_DEFAULT_MEMORY = 128  # MB, Lambda's own default
_LINE = 26  # bytes that CloudWatch Logs counts for a line besides its text
_KB = 1024
_WRITES = 2  # units for each started KB of a result: the item, and its entry in the index
_QUEUE_REQUESTS = 3  # send, receive, delete

_PARTS = {
    "lambda_requests": ("Lambda requests", "invocations", 1_000_000, "per million"),
    "lambda_gb_seconds": ("Lambda time", "GB-seconds", 1, "per GB-second"),
    "dynamodb_writes": ("DynamoDB writes", "write units", 1_000_000, "per million"),
    "dynamodb_reads": ("DynamoDB reads", "read units", 1_000_000, "per million"),
    "s3_puts": ("S3 PUT", "requests", 1_000, "per 1,000"),
    "s3_gets": ("S3 GET", "requests", 1_000, "per 1,000"),
    "sqs_requests": ("SQS", "requests", 1_000_000, "per million"),
    "log_gb": ("CloudWatch Logs", "GB", 1, "per GB"),
}
NOT_COUNTED = (
    "Not counted: storage, what the functions themselves request, streams, topics and buses, free tiers."
    " Deployments cost nothing but their requests."
)


def used(timelines: Sequence[Timeline], invocations: Iterable[Invocation], queries: int) -> Use:
    """What the events have used.

    Args:
        timelines: The events.
        invocations: All invocations that the logs tell of.
        queries: How often the tests have queried the results table.
    """
    ran = [one for one in invocations if one.request_id]
    entries = {visit.component: visit.type for event in timelines for visit in event.visits}
    sent_to = [entries.get(event.component, "") for event in timelines]
    results = [result for event in timelines for result in event.arrivals]
    return Use(
        lambda_requests=len(ran),
        lambda_gb_seconds=sum(_seconds(one) * _memory(one) / 1024 for one in ran),
        dynamodb_writes=sum(one.deliveries * (math.ceil(one.size / _KB) + 1) * _WRITES for one in results),
        dynamodb_reads=queries,
        s3_puts=sent_to.count("s3"),
        sqs_requests=_QUEUE_REQUESTS * (sent_to.count("sqs") + sum(len(one.failures) for one in timelines)),
        log_gb=sum(len(line.text) + _LINE for one in ran for line in one.lines) / 1e9,
    )


def bill(use: Use) -> dict[str, Any]:
    """The cost of each part with its formula, and the sum, in US dollars."""
    parts = []
    for name, dollars in use.costs().items():
        label, unit, per, told = _PARTS[name]
        amount = getattr(use, name)
        shown = f"{amount:,.0f}" if float(amount).is_integer() else _plain(amount)
        price = f"${_plain(PRICES[name] * per)} {told}"
        formula = f"{shown} {unit} × {price} = ${dollars:.6f}"
        parts.append(
            {
                "name": label,
                "amount": amount,
                "unit": unit,
                "price": price,
                "dollars": dollars,
                "formula": formula,
            }
        )
    return {
        "currency": "USD",
        "dollars": use.dollars,
        "prices": f"list prices of {REGION}, as of {AS_OF}",
        "not_counted": NOT_COUNTED,
        "parts": parts,
    }


def _plain(number: float) -> str:
    """A number with six significant digits and without an exponent."""
    return format(Decimal(f"{number:.6g}"), "f")


def _seconds(one: Invocation) -> float:
    return max(0.0, one.end - one.start) if one.start is not None and one.end is not None else 0.0


def _memory(one: Invocation) -> int:
    """Memory in MB, as the platform's line about an invocation tells it."""
    found = (_MEMORY.search(line.text) for line in reversed(one.lines))
    return next((int(match[1]) for match in found if match), _DEFAULT_MEMORY)


def dollars(amount: float) -> str:
    """An amount of US dollars; a small one is not rounded to nothing."""
    return f"${amount:.4f}" if amount >= 0.0001 or not amount else "under $0.0001"
