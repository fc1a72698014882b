"""One large test session on AWS: what it uses, what it costs, which limit it meets first.

The formulae are those of `docs/scale.md`.
"""

from dataclasses import dataclass
from math import ceil

from event_harness.aws.prices import Use
from event_harness.results.look_interval import ITEMS_PER_SECOND
from scale import limits

_INDEX_ENTRY = 0.7  # KB: 0.6 for an item of an object without its body, 0.1 that DynamoDB adds
_LOG_LINE = 0.5  # KB of log that an invocation of the listener or of a function of the system writes
_UNEVEN = 1.15  # the fullest shard's writes, over the mean
_PEEKS = 1 / 2  # reads of the failure queues a second


@dataclass(frozen=True)
class Session:
    """A test session.

    Attributes:
        events: Number of inputs, each with one result.
        rate: Inputs a second.
        body_kb: Size of a result's body; up to 256 KB, larger ones go to the overflow bucket.
        shards: The module's `result_shards`.
        functions: Functions of the system that an event passes before the listener.
        seconds: Duration of one invocation, of the listener as well.
        memory_gb: Memory of each function.
        concurrency: Invocations at once that the account allows.
    """

    events: int
    rate: float = 200.0
    body_kb: float = 0.5
    shards: int = 1
    functions: int = 1
    seconds: float = 0.1
    memory_gb: float = 0.5
    concurrency: int = limits.CONCURRENCY

    @property
    def duration(self) -> float:
        """Seconds that the inputs take to be sent."""
        return self.events / self.rate

    @property
    def units_per_write(self) -> int:
        """Write units of one result: one for each started KB of the item, and of its index entry."""
        return ceil(_INDEX_ENTRY + self.body_kb) + ceil(_INDEX_ENTRY)

    @property
    def rate_limit(self) -> float:
        """Results a second that the shards of a new table take before DynamoDB throttles."""
        return min(self._shards_take, limits.NEW_TABLE_WRITES / self.units_per_write)

    @property
    def _shards_take(self) -> float:
        """Results a second that all shards take. A hash spreads the writes: one gets more than others."""
        each = limits.PARTITION_WRITES / self.units_per_write
        return each if self.shards == 1 else self.shards * each / _UNEVEN

    @property
    def enough_shards(self) -> int:
        """The least `result_shards` that takes the rate and the size."""
        for_rate = self.rate * self.units_per_write / limits.PARTITION_WRITES
        parts = max(for_rate, self.gigabytes / limits.COLLECTION_GB)
        return 1 if parts <= 1 else ceil(parts * _UNEVEN)

    @property
    def gigabytes(self) -> float:
        """What the session keeps in the table until its results expire."""
        return self.events * (2 * _INDEX_ENTRY + self.body_kb) / 1e6

    @property
    def needed_concurrency(self) -> int:
        """Invocations at once: rate times duration, of each function and the listener."""
        return ceil(self.rate * self.seconds * (self.functions + 1))

    @property
    def use(self) -> Use:
        """What the session uses of AWS, from the first input to the last result."""
        invocations = self.events * (self.functions + 1)
        # Each look reads the last ten seconds again, and rests so that it reads ITEMS_PER_SECOND on average.
        items_read = self.duration * min(ITEMS_PER_SECOND, 10 * self.rate * 8) + self.events
        return Use(
            lambda_requests=invocations,
            lambda_gb_seconds=invocations * self.seconds * self.memory_gb,
            dynamodb_writes=self.events * self.units_per_write,
            dynamodb_reads=items_read * _INDEX_ENTRY / 4,
            s3_puts=2 * self.events,
            s3_gets=2 * self.events,
            sqs_requests=self.duration * _PEEKS * (self.functions + 1),
            log_gb=invocations * _LOG_LINE / 1e6,
        )

    def limits_met(self) -> list[str]:
        """The limits that the session exceeds, each with what changes it."""
        met = []
        if self.rate > self._shards_take:
            met.append(
                f"DynamoDB throttles above {self._shards_take:,.0f} results/s in {self.shards} shard(s):"
                f" result_shards = {self.enough_shards}"
            )
        if self.rate * self.units_per_write > limits.NEW_TABLE_WRITES:
            met.append(
                f"a new table takes {limits.NEW_TABLE_WRITES / self.units_per_write:,.0f} results/s:"
                " send more slowly at first, or warm the table's throughput"
            )
        if self.gigabytes / self.shards > limits.COLLECTION_GB:
            met.append(
                f"{self.gigabytes:,.0f} GB in {self.shards} shard(s) of 10 GB:"
                f" result_shards = {self.enough_shards}"
            )
        if self.needed_concurrency > self.concurrency:
            met.append(
                f"{self.needed_concurrency:,} invocations at once, the account allows {self.concurrency:,}:"
                " ask for a higher quota, or send at most"
                f" {self.concurrency / self.seconds / (self.functions + 1):,.0f} inputs/s"
            )
        if self.rate > limits.PREFIX_PUTS:
            met.append(f"S3 takes {limits.PREFIX_PUTS:,} objects/s under a prefix: use several prefixes")
        return met
