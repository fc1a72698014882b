"""Stores many results in the emulator's DynamoDB by the listener's code, and reads them by the harness's.

It shows that nothing is lost or mixed up between the shards. It says nothing about AWS's speed.
"""

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.results.results_table import ResultsTable
from event_harness.results.seen import Seen
from event_harness.results.shards import partition_key
from event_harness.system.resources import Results

LISTENER = Path(__file__).parents[1] / "functions" / "event_listener"
_WRITERS = 4


@dataclass(frozen=True)
class Stored:
    """What was written and read.

    Attributes:
        written: Results that the listener's code stored.
        read: Different results that the harness read of the session.
        queries: Query calls of that one read, pages included.
        shards: Results in each shard.
        write_seconds: Seconds of writing.
        read_seconds: Seconds of the read.
    """

    written: int
    read: int
    queries: int
    shards: list[int]
    write_seconds: float
    read_seconds: float


def store_and_read(events: int, shards: int, directory: Path) -> Stored:
    """Store and read a session on a local AWS emulator of its own.

    Args:
        events: Number of results.
        shards: The module's `result_shards`.
        directory: Where the emulator keeps its files.
    """
    with LocalEmulator.start(directory) as aws:
        target = Target.emulator(aws.endpoint_url)
        where = Results(table="results", index="by_arrival", overflow_bucket="overflow", shards=shards)
        _create(target, where)
        began = time.perf_counter()
        _write(target, where, events)
        written = time.perf_counter()
        table = ResultsTable(where, target.client("dynamodb"), None)  # type: ignore[arg-type]  # no body is read
        items = table.query("s1")
        read = time.perf_counter()
        found = Seen(table.result).merge(items)
    ids = {result.event_id for result in found}
    spread = Counter(partition_key("s1", event_id, shards) for event_id in ids)
    return Stored(events, len(ids), table.queries, sorted(spread.values()), written - began, read - written)


def _create(target: Target, where: Results) -> None:
    """The table of modules/event_listener."""
    target.client("dynamodb").create_table(
        TableName=where.table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "session_id", "AttributeType": "S"},
            {"AttributeName": "event_id", "AttributeType": "S"},
            {"AttributeName": "received_at", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "session_id", "KeyType": "HASH"},
            {"AttributeName": "event_id", "KeyType": "RANGE"},
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": where.index,
                "KeySchema": [
                    {"AttributeName": "session_id", "KeyType": "HASH"},
                    {"AttributeName": "received_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def _write(target: Target, where: Results, events: int) -> None:
    """Store results by the code that the listener runs in Lambda; its folder is an import root there."""
    sys.path.insert(0, str(LISTENER))
    try:
        correlation, records, settings, store_module = map(
            import_module, ("correlation", "records", "settings", "store")
        )
    finally:
        sys.path.remove(str(LISTENER))
    store = store_module.Store(target.client("dynamodb"), where.table, 3600, shards=where.shards)
    source = settings.Source("destination", "s3", "bucket", "key")

    def save(number: int) -> None:
        """Store one result, as of one object."""
        key = f"s1/{number:08}"
        record = records.Record("s3", "bucket", key, b"", {"bucket": "bucket", "key": key})
        ids = correlation.Correlation("s1", f"destination:{key}", key)
        store.save(store.write(source, record, ids, b"HELLO", "request"))

    with ThreadPoolExecutor(_WRITERS) as pool:
        for _ in pool.map(save, range(events)):
            pass
