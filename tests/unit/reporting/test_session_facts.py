"""How long the parts of a session took."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from event_harness.reporting.evidence import _is_since
from event_harness.reporting.session_facts import durations
from event_harness.tracing.invocations import Invocation


def record(created, **stages):
    return SimpleNamespace(created_at=datetime.fromtimestamp(created, UTC), stages=stages)


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        (None, (None, None, 40.0, None)),
        (record(100, apply=105.0, applied=120.0, destroy=143.0, destroyed=150.0), (5.0, 15.0, 21.0, 7.0)),
        (record(100, apply=105.0, destroy=130.0, destroyed=140.0), (5.0, None, 1.0, 10.0)),  # it failed
        (record(10, apply=15.0, applied=30.0), (None, None, 40.0, None)),  # reused
        (record(10, apply=105.0, applied=120.0), (None, 15.0, 25.0, None)),  # reused and applied anew
    ],
)
def test_the_time_of_the_tests_is_without_the_deployment(deployment, expected):
    took = durations(deployment, 101.0, 141.0, 100.7)
    assert tuple(took[name] for name in ("set_up", "apply", "tests", "destroy")) == expected


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [(1.0, 99.0, False), (99.0, 101.0, True), (99.0, None, False), (None, None, True)],
)
def test_invocations_of_earlier_sessions_cost_nothing(start, end, counts):
    assert _is_since(Invocation("orders", "r1", start, end), 100.0) is counts
