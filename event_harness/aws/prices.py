"""AWS's list prices of what a test uses, and what a use costs.

Prices of us-east-1 (N. Virginia) as cited in 2025, DynamoDB's after the cut of November 2024. Sources: the
pricing pages of AWS Lambda, DynamoDB (on-demand), S3, SQS and CloudWatch. They were not read live: check them
before you plan with large numbers. Free tiers are not counted. Other regions cost up to twice as much.
"""

from dataclasses import dataclass, fields

REGION = "us-east-1"
AS_OF = "2025"


@dataclass(frozen=True)
class Use:
    """What a test session has used, or would use.

    Attributes:
        lambda_requests: Invocations.
        lambda_gb_seconds: Memory in GB times duration in seconds, over all invocations.
        dynamodb_writes: Write units: one for each started KB of an item, and one for each of its index entry.
        dynamodb_reads: Read units: one for each started 4 KB of a strongly consistent read.
        s3_puts: PUT, COPY, POST and LIST requests.
        s3_gets: GET and HEAD requests.
        sqs_requests: Requests, each of up to 64 KB.
        log_gb: Gigabytes that CloudWatch Logs takes in.
    """

    lambda_requests: float = 0
    lambda_gb_seconds: float = 0
    dynamodb_writes: float = 0
    dynamodb_reads: float = 0
    s3_puts: float = 0
    s3_gets: float = 0
    sqs_requests: float = 0
    log_gb: float = 0

    def __add__(self, other: "Use") -> "Use":
        """Add up two uses."""
        return Use(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def costs(self) -> dict[str, float]:
        """Return the cost of each part in US dollars; parts that were not used are left out."""
        used = {one.name: float(getattr(self, one.name)) for one in fields(self)}
        return {name: amount * PRICES[name] for name, amount in used.items() if amount}

    @property
    def dollars(self) -> float:
        """The whole cost in US dollars."""
        return sum(self.costs().values())


PRICES = {
    "lambda_requests": 0.20 / 1_000_000,
    "lambda_gb_seconds": 0.0000166667,
    "dynamodb_writes": 0.625 / 1_000_000,
    "dynamodb_reads": 0.125 / 1_000_000,
    "s3_puts": 0.005 / 1_000,
    "s3_gets": 0.0004 / 1_000,
    "sqs_requests": 0.40 / 1_000_000,
    "log_gb": 0.50,
}
"""US dollars for one of each, for x86 functions and standard queues."""
