"""A message that a redrive policy gave up names no error: the function's log tells it."""

import pytest
from explained import REQUEST, explain, finding, states
from listener_fakes import MAP, World, client_error, envelope, s3_event

QUEUE = {
    "name": "orders",
    "type": "sqs",
    "queue_url": "https://sqs/1/orders",
    "failure_queue_url": "queue/dead",
}
SECOND = "22222222-2222-2222-2222-222222222222"


@pytest.fixture
def world():
    components = [MAP["components"][0], QUEUE, MAP["components"][1] | {"failure_queue_url": None}]
    world = World(resources=MAP | {"components": components})
    world.queues.get_queue_attributes = lambda **_: {"Attributes": {}}
    return world


@pytest.fixture
def given_up(world):
    """An input to the queue whose message lies in the dead-letter queue; returns it and the message's id."""
    sent = world.send()
    sent = type(sent)(sent.correlation_id, "orders", sent.sent_at, "https://sqs/1/orders", 5)
    message_id = world.queues.put("queue/dead", {"id": sent.correlation_id}, sent_ms=1_000_000)
    world.queues.messages["queue/dead"][0]["Attributes"] |= {
        "ApproximateReceiveCount": "3",
        "DeadLetterQueueSourceArn": "arn:aws:sqs:eu-west-1:1:orders",
    }
    return sent, message_id


TRACEBACK = "Traceback (most recent call last):\n  File x\nKeyError: 'amount'"


def test_the_error_is_found_by_the_correlation_id(world, given_up):
    sent, _ = given_up
    for request in (REQUEST, SECOND):
        world.logs.invoked("/processor", request, f"working on {sent.correlation_id}", TRACEBACK)
    report = explain(world, sent)
    assert report.cause == f"processor failed after 2 attempts: KeyError: 'amount' (request {SECOND})"
    assert states(report) == {"orders": "ok", "processor": "failed", "event_listener": "not reached"}
    assert finding(report, "failure queues").text == "1 message of this input in queue/dead"


def test_the_error_is_found_by_the_id_of_the_message(world, given_up):
    sent, message_id = given_up
    world.logs.invoked("/processor", REQUEST, f"[ERROR] ValueError: cannot handle {message_id}")
    report = explain(world, sent)
    assert report.cause.startswith(
        f"processor failed after 1 attempt: ValueError: cannot handle {message_id}"
    )


def test_a_wait_for_a_failure_returns_the_error_too(world, given_up):
    sent, _ = given_up
    world.logs.invoked("/processor", REQUEST, f"working on {sent.correlation_id}", TRACEBACK)
    failure = world.listener.wait_for_failure(sent, timeout=5)
    assert (failure.component, failure.error_type, failure.error_message) == (
        "processor",
        "KeyError",
        "'amount'",
    )
    assert failure.attempts == 1


def test_without_a_line_of_it_the_only_error_of_the_next_function_is_told(world, given_up):
    sent, _ = given_up
    world.logs.invoked("/processor", REQUEST, TRACEBACK)
    report = explain(world, sent)
    assert report.cause == f"processor failed: KeyError: 'amount' (request {REQUEST})"


def test_a_function_that_cannot_start_is_the_error(world, given_up):
    sent, _ = given_up
    log = (
        "2999-01-01 00:00:00 ERROR [lambda] "
        "Warm worker execution error for processor: Worker init failed: No x"
    )
    report = explain(world, sent, emulator_log=lambda: log)
    assert report.cause == "processor can't start: No x"
    assert states(report)["processor"] == "failed"


def test_an_unreadable_log_leaves_what_the_message_tells(world, given_up):
    sent, _ = given_up
    world.logs.error = client_error("AccessDeniedException")
    told = "orders: the message became a dead letter; it names no error"
    assert explain(world, sent).cause == told
    del world.target.clients["logs"]
    assert explain(world, sent).cause == told


def test_a_wait_for_a_failure_needs_no_readable_log(world, given_up):
    sent, _ = given_up
    world.logs.error = client_error("AccessDeniedException")
    failure = world.listener.wait_for_failure(sent, timeout=5)
    assert (failure.component, failure.error) == ("orders", "")


def test_attempts_are_those_of_this_inputs_invocations():
    """The number in a destination's message is that of the emulator's own retries, or of a batch."""
    world = World()
    sent = world.send()
    world.logs.invoked("/processor", REQUEST, f"[ERROR] no {sent.correlation_id}")
    world.logs.invoked("/processor", SECOND, "[ERROR] no run/other")
    world.queues.put("queue/processor", envelope(s3_event(sent.correlation_id)))
    assert explain(world, sent).cause.startswith("processor failed after 1 attempt: NotUtf8Error")


def test_two_functions_that_share_a_queue_are_told_apart():
    shared = [
        *MAP["components"],
        {"name": "audit", "type": "lambda", "function": "audit-fn", "failure_queue_url": "queue/processor"},
    ]
    world = World(resources=MAP | {"components": shared})
    sent = world.send()
    world.queues.put("queue/processor", envelope(s3_event(sent.correlation_id)))
    assert explain(world, sent).cause.startswith("processor failed")
    world.queues.put("queue/processor", envelope(s3_event(sent.correlation_id), function="audit-fn"))
    assert explain(world, sent).cause.startswith("audit failed")


def test_the_emulator_tells_no_type_of_an_exception_and_the_log_does():
    world = World()
    sent = world.send()
    world.queues.put(
        "queue/processor", envelope(s3_event(sent.correlation_id), "Runtime.HandlerError", "'amount'")
    )
    assert explain(world, sent).cause.startswith("processor failed after 3 attempts: 'amount' (request")
    world.logs.invoked("/processor", REQUEST, f"working on {sent.correlation_id}", TRACEBACK)
    assert explain(world, sent).cause.startswith(
        "processor failed after 1 attempt: KeyError: 'amount' (request"
    )


def test_the_place_of_an_error_that_the_message_tells_is_found_in_the_log():
    world = World()
    sent = world.send()
    world.queues.put("queue/processor", envelope(s3_event(sent.correlation_id), "KeyError", "'amount'"))
    assert world.listener.wait_for_failure(sent, timeout=5).raised_at is None
    world.logs.invoked("/processor", REQUEST, f"working on {sent.correlation_id}", PLACED)
    failure = world.listener.wait_for_failure(sent, timeout=5)
    assert (failure.error_type, failure.raised_at) == ("KeyError", "app.py:14")


def test_of_several_errors_that_name_no_input_none_is_taken_for_its_own(world, given_up):
    sent, _ = given_up
    world.logs.invoked("/processor", REQUEST, TRACEBACK)
    world.logs.invoked("/processor", SECOND, "Traceback (most recent call last):\n  File x\nValueError: no")
    report = explain(world, sent)
    assert "KeyError" not in report.cause
    assert "ValueError" not in report.cause
    assert report.cause.startswith("orders: the message became a dead letter; ")


def emulator_says(*lines):
    return lambda: "\n".join(f"2999-01-01 00:00:00 {line}" for line in lines)


def begins(request, *ids):
    told = f"invocation {request} of processor begins at 32472144000.000"
    return f"INFO [event_harness] {told} for {' '.join(ids)}"


def test_the_emulators_log_tells_which_of_two_errors_is_of_this_input(world, given_up):
    sent, _ = given_up
    world.logs.invoked("/processor", REQUEST, TRACEBACK)
    world.logs.invoked("/processor", SECOND, "Traceback (most recent call last):\n  File x\nValueError: no")
    log = emulator_says(begins(REQUEST, "run/other"), begins(SECOND, sent.correlation_id))
    report = explain(world, sent, emulator_log=log)
    assert report.cause == f"processor failed after 1 attempt: ValueError: no (request {SECOND})"
    assert "KeyError" not in report.full()


@pytest.mark.parametrize("named", ["run/01M8BAM74BXPVGK3PS3DYED5FC", "run/01M8BAM74BXPVGK3PS3DYED5FC/in.txt"])
def test_a_single_input_is_no_batch_though_the_emulators_log_leaves_out_its_name(world, named):
    sent = world.send(correlation_id="01M8BAM74BXPVGK3PS3DYED5FC/in.txt")
    world.logs.invoked("/processor", REQUEST, TRACEBACK)
    log = emulator_says(begins(REQUEST, named))
    cause = explain(world, sent, emulator_log=log).cause
    assert cause.startswith("processor failed")
    assert "KeyError: 'amount'" in cause
    assert "batch" not in cause


def test_an_error_of_a_batch_that_the_emulators_log_tells_may_be_of_another_input(world, given_up):
    sent, _ = given_up
    world.logs.invoked("/processor", REQUEST, TRACEBACK)
    log = emulator_says(begins(REQUEST, "run/other", sent.correlation_id))
    assert explain(world, sent, emulator_log=log).cause == (
        "processor failed after 1 attempt: KeyError: 'amount', in a batch with other inputs"
        f" (request {REQUEST})"
    )


def test_an_invocation_without_an_error_that_only_the_emulators_log_tells_is_not_one_for_others(world):
    sent = world.send()
    world.logs.invoked("/processor", REQUEST, "working")
    ends = f"INFO [event_harness] invocation {REQUEST} of processor ends at 32472144000.500"
    log = emulator_says(begins(REQUEST, sent.correlation_id), ends)
    told = finding(explain(world, sent, emulator_log=log), "processor").text
    assert told == "ran 1 time since the send without an error, no line names an input"


DENIED = (
    "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutItem operation: "
    "User: arn:aws:sts::000000000000:assumed-role/price/processor is not authorized to perform: "
    "dynamodb:PutItem on resource: arn:aws:dynamodb:r:1:table/t because no identity-based policy allows it"
)


def test_a_denied_call_in_the_log_is_the_error_of_a_message_that_was_given_up(world, given_up):
    sent, _ = given_up
    world.logs.invoked("/processor", REQUEST, f"working on {sent.correlation_id}", DENIED)
    assert explain(world, sent).cause == (
        "processor failed after 1 attempt: the role price may not dynamodb:PutItem on "
        f"arn:aws:dynamodb:r:1:table/t (access denied) (request {REQUEST})"
    )


def test_without_an_error_the_calls_that_the_emulator_denied_are_told(world, given_up):
    sent, _ = given_up
    log = emulator_says(
        "WARNING [event_harness] permission denied: role price may not dynamodb:PutItem on arn:t "
        "(function processor)"
    )
    assert explain(world, sent, emulator_log=log).cause == (
        "orders: the message became a dead letter; it names no error; processor: a call was denied, perhaps "
        "for another input: the role price may not dynamodb:PutItem on arn:t (access denied)"
    )


PLACED = """Traceback (most recent call last):
  File "/var/task/app.py", line 14, in handler
    price(order)
  File "/var/task/site-packages/prices.py", line 3, in price
    return order["amount"]
KeyError: 'amount'"""


def test_the_error_is_told_with_its_place_in_the_functions_own_code(world, given_up):
    sent, _ = given_up
    world.logs.invoked("/processor", REQUEST, f"working on {sent.correlation_id}", PLACED)
    told = f"processor failed after 1 attempt: KeyError: 'amount' (app.py:14) (request {REQUEST})"
    assert explain(world, sent).cause == told
    failure = world.listener.wait_for_failure(sent, timeout=5)
    assert (failure.error_message, failure.raised_at) == ("'amount'", "app.py:14")


def test_a_good_message_in_a_batch_with_a_poison_one_is_not_called_the_culprit(world, given_up):
    """The batch comes again and again, until all of its messages are given up."""
    sent, _ = given_up
    for request in (REQUEST, SECOND):
        lines = (f"working on {sent.correlation_id}", "working on run/poison", TRACEBACK)
        world.logs.invoked("/processor", request, *lines)
    report = explain(world, sent)
    told = "processor failed after 2 attempts: KeyError: 'amount', in a batch with other inputs"
    assert report.cause == f"{told} (request {SECOND})"
    assert finding(report, "processor").state == "failed"
    assert world.listener.wait_for_failure(sent, timeout=5).of_batch


def test_an_error_of_a_batch_that_names_another_input_is_not_this_ones(world, given_up):
    sent, _ = given_up
    world.logs.invoked(
        "/processor", REQUEST, f"working on {sent.correlation_id}", "[ERROR] KeyError: run/poison"
    )
    report = explain(world, sent)
    assert "KeyError" not in report.cause


def test_the_poison_message_itself_is_told_with_its_own_error(world, given_up):
    sent, _ = given_up
    lines = ("working on run/good", f"[ERROR] ValueError: {sent.correlation_id} is poison", TRACEBACK)
    world.logs.invoked("/processor", REQUEST, *lines)
    report = explain(world, sent)
    assert report.cause.startswith(
        f"processor failed after 1 attempt: ValueError: {sent.correlation_id} is poison (request"
    )
    assert not world.listener.wait_for_failure(sent, timeout=5).of_batch


def test_a_function_that_fails_on_a_batch_says_that_other_inputs_were_in_it(world):
    sent = world.send()
    sent = type(sent)(sent.correlation_id, "orders", sent.sent_at, "https://sqs/1/orders", 5)
    world.logs.invoked("/processor", REQUEST, f"on {sent.correlation_id}", "on run/other", TRACEBACK)
    report = explain(world, sent)
    assert report.cause == "processor failed: KeyError: 'amount', in a batch with other inputs"
    assert finding(report, "processor").text == (
        "KeyError: 'amount' (1 error line; other inputs were in the same batch)"
    )


def test_an_event_of_several_records_that_failed_is_a_batch(world):
    event = {"Records": [*s3_event("run/a")["Records"], *s3_event("run/b")["Records"]]}
    world.queues.put("queue/dead", envelope(event))
    (failure,) = world.listener.failures.look()
    assert str(failure).startswith(
        "processor failed after 3 attempts: NotUtf8Error: not UTF-8, in a batch with other inputs (request"
    )


def test_the_failures_of_a_batch_are_told_with_their_errors_too(world, given_up):
    sent, _ = given_up
    world.logs.invoked("/processor", REQUEST, f"working on {sent.correlation_id}", TRACEBACK)
    collected = world.listener.collect([sent], timeout=5)
    assert collected.failed[sent].error == "KeyError: 'amount'"
    assert f"(processor failed after 1 attempt: KeyError: 'amount' (request {REQUEST}))" in str(collected)
