"""The shards of a test session in the results table.

DynamoDB writes at most 1,000 units per second under one partition key, and a table with a local index keeps
at most 10 GB under it. So a large session is spread: its partition key is `<session id>#<shard>`, and the
shard is a hash of the event id. `functions/event_listener/store.py` has the same hash.
"""

import zlib
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

from event_harness.results.background import in_thread

T = TypeVar("T")


def partition_key(session_id: str, event_id: str, shards: int) -> str:
    """The partition key of an event.

    Args:
        session_id: Its test session.
        event_id: Its sort key.
        shards: Number of shards of each session; with one, the key is the session id.
    """
    if shards == 1:
        return session_id
    return f"{session_id}#{zlib.crc32(event_id.encode()) % shards}"


def partition_keys(session_id: str, shards: int) -> list[str]:
    """All partition keys of a session."""
    return [session_id] if shards == 1 else [f"{session_id}#{shard}" for shard in range(shards)]


def session_id_of(partition_key: str, shards: int) -> str:
    """The session id in a partition key."""
    session_id, mark, _shard = partition_key.rpartition("#")
    return session_id if mark and shards > 1 else partition_key


def read_each(keys: list[str], read: Callable[[str], list[T]]) -> list[T]:
    """Read all partitions at once, and return what they hold.

    Args:
        keys: The partition keys.
        read: Reads one partition.

    Raises:
        Exception: The first error of a read.
    """
    if len(keys) == 1:
        return read(keys[0])
    answers: SimpleQueue[list[T] | BaseException] = SimpleQueue()

    def one(key: str) -> None:
        """Read one partition. An error goes to the thread that waits for the answers."""
        try:
            answers.put(read(key))
        except BaseException as error:
            answers.put(error)

    for key in keys:
        in_thread(lambda key=key: one(key))  # type: ignore[misc]  # mypy can't infer a default of a lambda
    items: list[T] = []
    for _ in keys:
        answer = answers.get()
        if isinstance(answer, BaseException):
            raise answer
        items += answer
    return items
