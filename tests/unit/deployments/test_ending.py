"""What a session has deployed is ended once, in order, by the process that deployed it."""

import os

import pytest

from event_harness.deployments.ending import Ending
from event_harness.errors import DestroyError


class Fake:
    """Something to end; `errors` are what its closings raise, one after the other."""

    def __init__(self, name, closed, *errors):
        self.name, self.closed, self.errors = name, closed, list(errors)

    def close(self):
        self.closed.append(self.name)
        if self.errors and (error := self.errors.pop(0)):
            raise error


@pytest.fixture
def said():
    return []


@pytest.fixture
def ending(said, tmp_path):
    return Ending(said.append, tmp_path)


def test_everything_is_ended_once_and_in_order(ending, said):
    closed = []
    for name in ("lender", "session"):
        ending.add(Fake(name, closed))
    ending.run()
    ending.run()
    assert closed == ["lender", "session"]
    assert not ending.failed
    assert said == []


def test_what_is_left_is_said_and_the_rest_is_ended(ending, said):
    closed = []
    ending.add(Fake("first", closed, DestroyError("deployment d1 is not destroyed")))
    ending.add(Fake("second", closed))
    ending.run()
    ending.run()
    assert closed == ["first", "second"]
    assert said == ["deployment d1 is not destroyed"]
    assert ending.failed


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), SystemExit(1)])
def test_unexpected_error_is_said_once_and_tried_again_at_the_next_chance(ending, said, error):
    closed = []
    ending.add(Fake("session", closed, error, error))
    ending.run()
    ending.run()
    assert len(said) == 1
    assert "something may be left: " in said[0]
    ending.run()
    ending.run()
    assert closed == ["session"] * 3


def test_child_ends_nothing_of_its_parent(ending, monkeypatch):
    closed = []
    ending.add(Fake("session", closed))
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    ending.run()
    assert closed == []


@pytest.mark.parametrize(
    ("state", "where"), [(".event-harness", "--project {}"), ("records", "--state-dir {}/records")]
)
def test_command_that_lists_what_may_be_left_finds_these_records(tmp_path, said, state, where):
    ending = Ending(said.append, tmp_path / state)
    ending.add(Fake("session", [], ValueError("x")))
    ending.run()
    (line,) = said
    assert line.startswith("the session's end failed, and something may be left: ValueError: x; see: ")
    assert line.endswith(f"{where.format(tmp_path)} list")
    ending.run()
