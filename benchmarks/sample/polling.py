"""A simple test with a poll loop: put an object, read the table until the result is there, compare, clean up.

`python -m benchmarks.sample.polling URL SYSTEM` runs one such test, which a benchmark kills.
"""

import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

from benchmarks.sample.system import SampleSystem
from event_harness.aws.targets import Target

T = TypeVar("T")

LIMIT = 15.0
"""Seconds that a test waits for its result."""


class PollerTimedOutError(Exception):
    """The one error of such a test, for every kind of failure."""


class PolledTest:
    """One test.

    Args:
        target: Where the system is.
        system: The system under test.
        key: The key of the input object.
        limit: Seconds to wait.
    """

    def __init__(self, target: Target, system: SampleSystem, key: str, *, limit: float = LIMIT) -> None:
        self.system = system
        self.key = key
        self.limit = limit
        self._s3 = target.client("s3")
        self._dynamodb = target.client("dynamodb")

    def send(self, body: str | bytes) -> None:
        """Put the input."""
        self._s3.put_object(Bucket=self.system.source, Key=self.key, Body=body)

    def check(self, expected: str) -> None:
        """Wait for the result and compare it.

        Raises:
            PollerTimedOutError: The result didn't come, was wrong, or couldn't be read.
        """
        try:
            assert poll(self.read, limit=self.limit) == expected
        except Exception as error:
            raise PollerTimedOutError("poller timed out") from error

    def read(self) -> str:
        """Read the table once.

        Raises:
            KeyError: The result isn't there yet.
        """
        answer = self._dynamodb.get_item(TableName=self.system.table, Key={"id": {"S": self.key}})
        return str(answer["Item"]["message"]["S"])

    def tear_down(self) -> None:
        """Delete the objects and the row of the test.

        Raises:
            KeyError: There is no row.
        """
        for bucket in (self.system.source, self.system.destination):
            self._s3.delete_object(Bucket=bucket, Key=self.key)
        answer = self._dynamodb.delete_item(
            TableName=self.system.table, Key={"id": {"S": self.key}}, ReturnValues="ALL_OLD"
        )
        answer["Attributes"]


def poll(
    read: Callable[[], T],
    *,
    limit: float = LIMIT,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    uniform: Callable[[float, float], float] = random.uniform,
) -> T:
    """Read until there is no KeyError. Between two reads, sleep a random part of 1, 1, 2, 3, 5, 8… seconds.

    Raises:
        KeyError: The result isn't there after `limit` seconds.
    """
    began = clock()
    for most in _fibonacci():
        try:
            return read()
        except KeyError:
            left = began + limit - clock()
            if left <= 0:
                raise
        sleep(min(uniform(0, most), left))
    raise AssertionError("the Fibonacci numbers never end")


def _fibonacci() -> Iterator[int]:
    one, next_one = 1, 1
    while True:
        yield one
        one, next_one = next_one, one + next_one


if __name__ == "__main__":
    test = PolledTest(
        Target.emulator(sys.argv[1]), SampleSystem.from_json(sys.argv[2]), f"{uuid.uuid4()}.txt"
    )
    test.send("a test that is killed")
    print("sent", flush=True)
    try:
        test.check("A TEST THAT IS KILLED")
    finally:
        test.tear_down()
