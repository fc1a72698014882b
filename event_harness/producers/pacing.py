"""The limit of inputs in flight for a target: a fixed one on AWS, a learned one on our emulator."""

from functools import partial

from event_harness.aws.front_calls import memory_of
from event_harness.aws.targets import Target
from event_harness.producers.inflight import InFlight
from event_harness.producers.pace import FIRST, MOST, Pace

ON_AWS = 50


def in_flight_of(target: Target, limit: int | None, processes: int = 1) -> InFlight:
    """Limit the inputs in flight of one of several test processes.

    Args:
        target: Where the inputs go.
        limit: The limit of all processes together, if the user has set one.
        processes: Number of test processes.
    """
    if limit is not None:
        return InFlight(max(1, limit // processes))
    if target.endpoint_url is None:
        return InFlight(max(1, ON_AWS // processes))
    if target.emulator_log is None:  # not our emulator: nothing is known of its workers
        return InFlight(max(1, FIRST // processes))
    return InFlight(Pace(max(1, FIRST // processes), max(1, MOST // processes), partial(memory_of, target)))
