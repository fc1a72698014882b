"""Inputs that fail, awaited or not."""

import threading
import time

import pytest
from listener_fakes import MAP, World, client_error, envelope

from event_harness.errors import (
    InputFailedError,
    ResultsUnavailableError,
    SettingError,
    WaitTimeoutError,
)
from event_harness.results.background import in_thread


@pytest.fixture
def world():
    return World()


def test_an_input_that_failed_ends_its_wait_long_before_the_timeout(world):
    sent = world.send()
    world.fails(sent, after=2)
    took, error = world.passed(lambda: world.listener.wait_for(sent))
    assert isinstance(error, InputFailedError)
    assert took < 4
    assert "processor failed after 3 attempts: NotUtf8Error: not UTF-8" in str(error)
    assert "the event lies in queue/processor" in str(error)
    assert error.report


def test_an_input_that_failed_at_the_listener_ends_its_wait_too(world):
    sent = world.send()
    world.fails(sent, after=0.1, queue="queue/listener")
    with pytest.raises(InputFailedError, match="event_listener failed"):
        world.listener.wait_for(sent)


def test_the_failure_of_another_input_ends_no_wait(world):
    sent, other = world.send(), world.send()
    world.fails(other, after=0.1)
    world.arrives(sent, after=5)
    assert world.listener.wait_for(sent).text == "HELLO"


def test_a_failure_may_be_disregarded(world):
    sent = world.send()
    world.fails(sent, after=0.1)
    world.arrives(sent, after=5)
    assert world.listener.wait_for(sent, fail_early=False).text == "HELLO"


def test_a_failure_that_was_redriven_ends_no_later_wait(world):
    sent = world.send()
    world.fails(sent, after=0.1)
    with pytest.raises(InputFailedError):
        world.listener.wait_for(sent)
    world.queues.messages.clear()
    world.arrives(sent, after=5)
    assert world.listener.wait_for(sent).text == "HELLO"


def test_a_quick_result_costs_no_look_into_the_failure_queues(world):
    sent = world.send()
    world.arrives(sent, after=0.9)
    world.listener.wait_for(sent)
    assert world.listener.failures.looks == 0


def test_a_long_wait_looks_into_the_failure_queues_every_one_and_a_half_seconds(world):
    sent = world.send()
    world.arrives(sent, after=10)
    world.listener.wait_for(sent)
    assert world.listener.failures.looks == 6


def test_looks_into_the_failure_queues_are_taken_beside_the_waiting_thread():
    threads = []

    def spawn(work):
        thread = threading.Thread(target=lambda: (threads.append(threading.current_thread()), work()))
        thread.start()
        thread.join()

    world = World(spawn=spawn)
    sent = world.send()
    world.fails(sent, after=0.1)
    with pytest.raises(InputFailedError):
        world.listener.wait_for(sent)
    assert threading.current_thread() not in threads


def test_a_failure_queue_that_cannot_be_read_ends_no_wait(world):
    sent = world.send()
    world.queues.error = client_error("AccessDenied")
    world.arrives(sent, after=5)
    assert world.listener.wait_for(sent).text == "HELLO"


def test_failures_are_awaited_and_stay_in_their_queue(world):
    sent = world.send(name="a b+ü.txt")
    world.fails(sent, after=3)
    took, failure = world.passed(lambda: world.listener.wait_for_failure(sent))
    assert 3 <= took < 4.1
    assert (failure.component, failure.attempts, failure.condition) == ("processor", 3, "RetriesExhausted")
    assert (failure.error_type, failure.error_message) == ("NotUtf8Error", "not UTF-8")
    assert failure.event["Records"][0]["s3"]["bucket"]["name"] == "source-bucket"
    assert len(world.queues.messages["queue/processor"]) == 1
    assert not world.queues.hidden


def test_an_awaited_failure_is_back_in_its_queue_before_the_wait_returns(monkeypatch):
    """A redrive right after the wait would not see it otherwise. The look takes its time."""
    world = World(clock=time.monotonic, sleep=None, spawn=in_thread)
    sent = world.send()
    world.fails(sent, after=0.1)
    world.clock.sleep(1)
    give_back, told = world.queues.change_message_visibility_batch, threading.Event()
    completed = world.listener._explainer.completed

    def late(**arguments):
        assert told.wait(60)
        time.sleep(0.02)
        return give_back(**arguments)

    def tells(*arguments):
        told.set()
        return completed(*arguments)

    monkeypatch.setattr(world.queues, "change_message_visibility_batch", late)
    monkeypatch.setattr(world.listener._explainer, "completed", tells)
    assert world.listener.wait_for_failure(sent).component == "processor"
    assert world.queues.hidden == set()


def test_an_input_that_was_to_fail_and_did_not_says_so(world):
    sent = world.send()
    world.arrives(sent, after=1)
    _, error = world.passed(lambda: world.listener.wait_for_failure(sent, timeout=2))
    assert str(error).startswith("no failure: every source has a result")
    assert "1 of this input" in str(error)


def test_a_failure_that_does_not_come_is_a_timeout_that_says_where_it_looked(world):
    took, error = world.passed(lambda: world.listener.wait_for_failure(world.send(), timeout=2))
    assert isinstance(error, WaitTimeoutError)
    assert took == pytest.approx(2, abs=0.01)
    assert "no failure of s3://source-bucket/run/" in str(error)
    assert "times into the failure queues of processor, event_listener" in str(error)


def test_the_failure_of_an_input_whose_id_begins_another_is_not_taken_for_it(world):
    one, other = (world.send(correlation_id=own) for own in ("order.txt", "order.txt.copy.txt"))
    world.fails(other, after=0.1)
    world.arrives(one, after=4)
    assert world.listener.wait_for(one).text == "HELLO"
    with pytest.raises(InputFailedError):
        world.listener.wait_for(other)
    assert world.listener.failures.of(one.correlation_id) == []


def test_the_failure_of_an_input_without_its_id_is_found_by_the_id_of_its_message(world):
    sent = world.send()
    world.listener.inflight.note(sent.correlation_id, "given-7")
    event = {"Records": [{"messageId": "given-7", "body": "{half", "eventSource": "aws:sqs"}]}
    world.queues.put("queue/processor", envelope(event))
    assert world.listener.wait_for_failure(sent).event == event


def test_a_failure_queue_that_is_denied_ends_the_wait_for_a_failure_at_once(world):
    world.queues.error = client_error("AccessDenied")
    took, error = world.passed(lambda: world.listener.wait_for_failure(world.send()))
    assert isinstance(error, ResultsUnavailableError)
    assert took == 0
    assert "sqs:ReceiveMessage" in str(error)


def test_a_failure_queue_that_is_throttled_is_asked_again(world):
    sent = world.send()
    world.queues.error = client_error("ThrottlingException")
    world.clock.after(1, lambda: setattr(world.queues, "error", None))
    world.fails(sent, after=0.1)
    assert world.listener.wait_for_failure(sent)


def test_without_failure_queues_no_failure_can_be_awaited():
    bare = MAP | {"listener": {"function": "listener"}, "components": [MAP["components"][0]]}
    world = World(resources=bare)
    with pytest.raises(SettingError, match="no component has a failure_queue_url"):
        world.listener.wait_for_failure(world.send())
