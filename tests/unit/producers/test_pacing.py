"""The limit of inputs in flight: the user's, one for AWS, one for a foreign emulator; ours learns it."""

from pathlib import Path

import pytest

from event_harness.aws import front_calls
from event_harness.aws.front_paths import MEMORY
from event_harness.aws.targets import Target
from event_harness.producers.pace import Pace
from event_harness.producers.pacing import in_flight_of

URL = "http://127.0.0.1:1"


def target(**more):
    return Target(name="local", region="eu-west-1", **more)


@pytest.mark.parametrize(
    ("one", "limit", "processes", "expected", "learned"),
    [
        ({}, None, 1, 50, False),
        ({}, None, 8, 6, False),
        ({"endpoint_url": URL}, None, 1, 4, False),
        ({"endpoint_url": URL}, 20, 4, 5, False),
        ({"endpoint_url": URL}, 2, 4, 1, False),
        ({"endpoint_url": URL, "emulator_log": Path("log")}, None, 1, 4, True),
        ({"endpoint_url": URL, "emulator_log": Path("log")}, None, 8, 1, True),
        ({"endpoint_url": URL, "emulator_log": Path("log")}, 10, 1, 10, False),
    ],
)
def test_each_target_has_its_limit(one, limit, processes, expected, learned):
    inflight = in_flight_of(target(**one), limit, processes)
    assert inflight.limit == expected
    assert isinstance(inflight._pace, Pace) is learned


def test_the_harness_asks_where_the_front_answers():
    assert front_calls.MEMORY == MEMORY
