"""The emulator's log tells what a function gave up, if nothing else keeps it."""

import logging

import pytest

from event_harness.aws.front.given_up import begun, counted

ID = "s1m8ayz87jefz8/01M8AYZGF6WJ7MGXCTF86MPQ7N"
DESTINATION = {"OnFailure": {"Destination": "arn:aws:sqs:eu-west-1:000000000000:lost"}}


def invoked(results, *, settings=None, letters=None):
    """Invoke a function asynchronously as MiniStack does, with one result after the other."""
    left = list(results)
    execute = counted(lambda _func, _event: {"error": left.pop(0)})

    def invoke(func, event):
        while left and execute(func, event)["error"]:
            pass

    func = {"config": {"FunctionName": "confirm"} | ({"DeadLetterConfig": letters} if letters else {})}
    begun(invoke)(func | ({"event_invoke_config": settings} if settings else {}), {"id": ID})


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO)
    return lambda: caplog.messages


def test_event_is_given_up_after_its_last_attempt(lines):
    invoked([True, True, True])
    assert lines() == [f"event given up by confirm after 3 attempts for {ID}"]


def test_number_of_attempts_is_the_functions_own(lines):
    invoked([True], settings={"MaximumRetryAttempts": 0})
    assert lines() == [f"event given up by confirm after 1 attempts for {ID}"]


@pytest.mark.parametrize(
    "more",
    [{"settings": {"DestinationConfig": DESTINATION}}, {"letters": {"TargetArn": "arn:aws:sqs:::lost"}}],
)
def test_what_a_destination_keeps_is_not_lost(lines, more):
    invoked([True, True, True], **more)
    assert lines() == []


def test_attempt_that_succeeds_ends_it(lines):
    invoked([True, True, False])
    assert lines() == []


def test_invocation_that_somebody_waits_for_is_not_counted(lines):
    counted(lambda *_: {"error": True})({"config": {"FunctionName": "confirm"}}, {"id": ID})
    assert lines() == []
