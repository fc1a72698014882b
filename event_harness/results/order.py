"""What is known of the order of events, and a sorting that guesses nothing about clocks."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import total_ordering
from typing import Protocol, TypeVar

from event_harness.errors import OrderUnknownError

FINE, COARSE = timedelta(milliseconds=1), timedelta(seconds=1)
_COARSE_TYPES = ("dynamodb", "eventbridge")  # they give whole seconds, on AWS too
_FINE_TYPES = ("kinesis", "sqs")  # they give milliseconds; of others the value tells


@total_ordering
@dataclass(frozen=True)
class Moment:
    """When an event happened, as exactly as its source says.

    `<`, `<=`, `>` and `>=` compare two moments. They raise `OrderUnknownError` if the order isn't known: the
    clock of a source may give whole seconds only. Records of one shard are compared by their sequence
    numbers.

    Attributes:
        source: Name of the source.
        earliest: The event didn't happen before (UTC); None if the source gives no time.
        fineness: The event happened within this time after `earliest`: a millisecond or a second.
        arrived: When the listener received the event first (UTC).
        shard: Names the ordered sequence that `sequence` is a number of; None if there is none.
        sequence: Sequence number within the shard.
        event_id: The identity of the event.
    """

    source: str
    earliest: datetime | None
    fineness: timedelta
    arrived: datetime
    shard: str | None
    sequence: int
    event_id: str

    def __lt__(self, other: "Moment") -> bool:
        if self.shard is not None and self.shard == other.shard and self.sequence != other.sequence:
            return self.sequence < other.sequence
        if self.earliest is not None and other.earliest is not None:
            if self.earliest + self.fineness <= other.earliest:
                return True
            if other.earliest + other.fineness <= self.earliest:
                return False
        raise OrderUnknownError(
            f"it isn't known whether {self} or {other} happened first;"
            " compare `first_received_at` for the order of arrival at the listener"
        )

    def __str__(self) -> str:
        if self.earliest is None:
            return f"the event of {self.source} (which gives no time)"
        if self.fineness == COARSE:
            return f"the event of {self.source} at {self.earliest:%H:%M:%S} (whole seconds)"
        return (
            f"the event of {self.source} at {self.earliest:%H:%M:%S}.{self.earliest.microsecond // 1000:03}"
        )


class Ordered(Protocol):
    """Has a moment."""

    @property
    def order(self) -> Moment:
        """When it happened."""


T = TypeVar("T", bound=Ordered)


def fineness(source_type: str, time: datetime | None) -> timedelta:
    """How exactly a source gives the time of its events.

    S3 and SNS give milliseconds on AWS, and whole seconds on some emulators: there the value tells.
    """
    if source_type in _FINE_TYPES:
        return FINE
    coarse = source_type in _COARSE_TYPES or time is None or not time.microsecond
    return COARSE if coarse else FINE


def in_order(results: Iterable[T]) -> list[T]:
    """Sort results by event time if all their sources give it equally exactly, otherwise by arrival."""
    moments = {id(result): (result, result.order) for result in results}
    finest: dict[str, timedelta] = defaultdict(lambda: COARSE)
    for _, moment in moments.values():
        finest[moment.source] = min(finest[moment.source], moment.fineness)
    timed = all(moment.earliest is not None for _, moment in moments.values())
    by_time = timed and len(set(finest.values())) == 1

    def key(pair: tuple[T, Moment]) -> tuple[datetime, datetime, int, str]:
        """The place of a result in the order."""
        moment = pair[1]
        happened = moment.earliest if by_time and moment.earliest is not None else moment.arrived
        return happened, moment.arrived, moment.sequence, moment.event_id

    return [result for result, _ in sorted(moments.values(), key=key)]
