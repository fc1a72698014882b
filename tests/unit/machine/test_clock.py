"""The clock that freezegun and time-machine don't fake."""

import ast
import time
from pathlib import Path

import freezegun
import pytest
import time_machine

import event_harness
from event_harness.machine import clock

FAKED = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "time.time",
    "time.monotonic",
    "time.perf_counter",
}


@pytest.mark.parametrize("fake", [freezegun.freeze_time, time_machine.travel])
def test_clock_goes_on_while_pythons_is_faked(fake):
    began, first = clock.timestamp(), clock.monotonic()
    with fake("2001-01-01"):
        assert began <= clock.timestamp() < began + 60
        assert began <= clock.now().timestamp() < began + 60
        assert first < clock.monotonic() < first + 60


def test_clock_is_that_of_the_machine():
    assert abs(clock.timestamp() - time.time()) < 5
    assert abs(clock.monotonic() - time.monotonic()) < 5


def test_no_module_of_the_harness_uses_a_function_that_a_test_may_fake():
    """The harness loads most modules when a fixture is asked for, which may be after the clock was faked."""
    used = []
    for file in Path(event_harness.__file__).parent.rglob("*.py"):
        attributes = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Attribute)]
        names = [(file.name, attribute.lineno, ast.unparse(attribute)) for attribute in attributes]
        used += [(file, line, name) for file, line, name in names if name in FAKED]
    assert used == []
