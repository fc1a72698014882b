"""The deadlines of waits stand still while a debugger is attached to a function."""

import pytest
from listener_fakes import World

from event_harness.errors import WaitTimeoutError


@pytest.fixture
def world():
    made = World(sla=5, debugged=lambda: made.attached)
    made.attached = False
    return made


def attach(world, after, seconds):
    def change(attached):
        world.attached = attached

    world.clock.after(after, lambda: change(True))
    world.clock.after(after + seconds, lambda: change(False))


def test_time_with_a_debugger_does_not_count(world):
    sent = world.send()
    attach(world, after=2, seconds=60)
    passed, error = world.passed(lambda: world.listener.wait_for(sent))
    assert isinstance(error, WaitTimeoutError)
    assert passed == pytest.approx(65, abs=1)


def test_result_that_comes_while_a_debugger_is_attached_ends_the_wait(world):
    sent = world.send()
    attach(world, after=1, seconds=600)
    world.arrives(sent, after=30)
    passed, result = world.passed(lambda: world.listener.wait_for(sent))
    assert result.text == "HELLO"
    assert passed == pytest.approx(30, abs=1)


def test_wait_without_an_attached_debugger_keeps_its_deadline(world):
    sent = world.send()
    passed, error = world.passed(lambda: world.listener.wait_for(sent))
    assert isinstance(error, WaitTimeoutError)
    assert passed == pytest.approx(5, abs=0.5)
