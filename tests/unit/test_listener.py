import threading

import pytest
from listener_fakes import MAP, World, client_error

from event_harness.errors import (
    GateShutError,
    InputFailedError,
    ResultsUnavailableError,
    SettingError,
    WaitError,
    WaitTimeoutError,
)
from event_harness.inflight import InFlight
from event_harness.listener import Listener
from event_harness.producers import Sent


@pytest.fixture
def world():
    return World()


def test_the_result_of_an_input_is_returned(world):
    sent = world.send()
    world.arrives(sent, after=0.3)
    took, result = world.passed(lambda: world.listener.wait_for(sent))
    assert result.text == "HELLO"
    assert result.correlation_id == sent.correlation_id
    assert 0.3 <= took < 0.35


def test_a_result_that_came_before_the_wait_is_returned_too(world):
    sent = world.send()
    world.table.record(sent.correlation_id)
    world.clock.sleep(60)
    assert world.listener.wait_for(sent, timeout=0).text == "HELLO"


def test_the_result_of_another_input_is_not_taken_for_it(world):
    sent, other = world.send(), world.send()
    world.arrives(other, after=0.1)
    with pytest.raises(WaitTimeoutError):
        world.listener.wait_for(sent, timeout=1)


def test_a_wrong_result_is_passed_over_until_the_right_one_comes(world):
    sent = world.send()
    world.arrives(sent, after=0.1, text="HELL")
    world.arrives(sent, after=0.5, text="HELLO")
    assert world.listener.wait_for(sent, until="HELLO").text == "HELLO"


def test_many_results_are_returned_in_order_of_event_time(world):
    sent = world.send()
    for number, after in enumerate([0.3, 0.1, 0.2]):
        world.arrives(sent, after=after, text=str(number), event_time=5000 - number)
    results = world.listener.wait_for(sent, count=3)
    assert [result.text for result in results] == ["2", "1", "0"]
    assert [result.text for result in world.listener.wait_for(sent, count=1)] == ["2"]


def test_the_sla_is_the_default_of_the_timeout():
    world = World(sla=3)
    took, error = world.passed(lambda: world.listener.wait_for(world.send()))
    assert isinstance(error, WaitTimeoutError)
    assert took == pytest.approx(3)


def test_a_listener_with_another_sla_shares_the_reader(world):
    other = world.listener.with_sla(2)
    took, error = world.passed(lambda: other.wait_for(world.send()))
    assert "within 2 s" in str(error)
    assert took == pytest.approx(2)
    assert other.reader is world.listener.reader
    assert world.listener.sla == 15


def test_a_timeout_says_what_was_awaited_how_long_how_often_it_looked_and_what_it_saw(world):
    sent, other = world.send(), world.send()
    world.arrives(other, after=0.5)
    with pytest.raises(WaitTimeoutError) as caught:
        world.listener.wait_for(sent, timeout=2)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"no result for s3://source-bucket/{sent.correlation_id} within 2 s"
    looks = world.listener.reader.looks
    assert lines[1] == f"  looked {looks} times; results in this run: 0 of this input, 1 of others"
    assert lines[2] == f"  sent: 5 bytes, correlation id {sent.correlation_id}"
    own = [query["ExpressionAttributeValues"][":run"]["S"] == "run" for query in world.table.queries]
    assert looks == sum(own)


def test_a_timeout_is_a_failed_assertion_with_a_report(world):
    with pytest.raises(AssertionError) as caught:
        world.listener.wait_for(world.send(), timeout=1)
    assert isinstance(caught.value, WaitError)
    assert caught.value.report.terminal() in str(caught.value).replace("\n  ", "\n")
    assert "processor" in caught.value.report.full()


def test_a_timeout_after_wrong_results_shows_how_they_differ(world):
    sent = world.send()
    world.arrives(sent, after=0.1, text="HELlO")
    with pytest.raises(WaitTimeoutError) as caught:
        world.listener.wait_for(sent, timeout=1, until="HELLO")
    message = str(caught.value)
    assert "a result came from destination, but not the one awaited" in message
    assert "- HELLO" in message
    assert "+ HELlO" in message


def test_a_timeout_shows_no_content_that_was_not_asked_for(world):
    sent = world.send("the secret input")
    world.arrives(sent, after=0.1, text="THE SECRET OUTPUT")
    with pytest.raises(WaitTimeoutError) as caught:
        world.listener.wait_for(sent, timeout=1, until=lambda result: False)
    assert "secret" not in (str(caught.value) + caught.value.report.full()).lower()
    assert "the predicate said no" in str(caught.value)


def test_a_timeout_with_some_of_many_says_how_many(world):
    sent = world.send()
    world.arrives(sent, after=0.1)
    with pytest.raises(WaitTimeoutError, match="1 of 2 results for"):
        world.listener.wait_for(sent, count=2, timeout=1)


def test_a_timeout_while_reads_are_throttled_says_so(world):
    world.table.errors = [client_error("ThrottlingException", "Rate exceeded")] * 1000
    with pytest.raises(WaitTimeoutError, match=r"the last look failed: ThrottlingException: Rate exceeded"):
        world.listener.wait_for(world.send(), timeout=1)


def test_throttled_reads_delay_a_result_and_lose_none(world):
    sent = world.send()
    world.arrives(sent, after=0.1)
    world.table.errors = [client_error("ProvisionedThroughputExceededException")] * 10
    assert world.listener.wait_for(sent).text == "HELLO"


def test_a_table_that_vanishes_ends_the_wait_at_once(world):
    sent = world.send()
    world.clock.after(0.5, lambda: setattr(world.table, "gone", True))
    took, error = world.passed(lambda: world.listener.wait_for(sent))
    assert isinstance(error, ResultsUnavailableError)
    assert took < 0.6


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


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), "5", True])
def test_a_timeout_that_is_none_is_refused(world, timeout):
    sent = world.send()
    with pytest.raises(SettingError, match=r"timeout is .*: must be a number of seconds, 0 or more"):
        world.listener.wait_for(sent, timeout=timeout)


@pytest.mark.parametrize("count", [0, -1, 1.5, "2", True])
def test_a_count_below_one_is_refused(world, count):
    with pytest.raises(SettingError, match=r"count is .*: must be a whole number from 1"):
        world.listener.wait_for(world.send(), count=count)


def test_what_was_not_sent_is_refused(world):
    with pytest.raises(SettingError, match="'run/a' is not a Sent; pass what a producer's send"):
        world.listener.wait_for("run/a")


def test_an_input_of_another_run_is_refused(world):
    sent = Sent("other/a", "source", 1000.0, "s3://source-bucket/other/a", 5)
    with pytest.raises(SettingError, match="'other/a' belongs to run 'other', this listener reads 'run'"):
        world.listener.wait_for(sent)


@pytest.mark.parametrize("run_id", ["", "a/b", "a b", "uncorrelated", None, 7])
def test_a_run_id_that_cannot_be_one_is_refused(world, run_id):
    with pytest.raises(SettingError, match="run id"):
        Listener(world.resources, world.target, run_id, sla=1)


def test_an_sla_that_is_none_is_refused(world):
    with pytest.raises(SettingError, match="sla is -1"):
        Listener(world.resources, world.target, "run", sla=-1)


def test_reads_of_the_table_do_not_outlast_their_deadline_by_botocore_retries(world):
    settings = [config for service, config in world.target.settings if service == "dynamodb" and config]
    assert settings
    assert all(config["retries"]["total_max_attempts"] <= 3 for config in settings)
    assert all(config["read_timeout"] <= 5 for config in settings)


def test_a_batch_is_collected_by_input(world):
    sents = [world.send(str(number)) for number in range(5)]
    for number, sent in enumerate(sents):
        world.arrives(sent, after=0.1 * number, text=str(number))
    collected = world.listener.collect(sents)
    assert collected.missing == []
    assert [collected.arrived[sent.correlation_id][0].text for sent in sents] == list("01234")
    assert str(collected) == "5 of 5 arrived"


def test_who_is_missing_from_a_batch_is_said(world):
    sents = [world.send() for _ in range(3)]
    world.arrives(sents[1], after=0.1)
    took, collected = world.passed(lambda: world.listener.collect(sents, timeout=2))
    assert took == pytest.approx(2)
    assert collected.missing == [sents[0], sents[2]]
    assert list(collected.arrived) == [sents[1].correlation_id]
    assert "1 of 3 arrived" in str(collected)
    assert sents[2].description in str(collected)


def test_a_batch_does_not_wait_for_those_that_failed(world):
    sents = [world.send() for _ in range(2)]
    world.arrives(sents[0], after=0.1)
    world.fails(sents[1], after=0.1)
    took, collected = world.passed(lambda: world.listener.collect(sents))
    assert took < 4
    assert collected.missing == [sents[1]]
    assert collected.failed[sents[1].correlation_id].error_type == "NotUtf8Error"
    assert "NotUtf8Error" in str(collected)


def test_a_batch_reports_its_progress(world):
    sents = [world.send() for _ in range(2)]
    world.arrives(sents[0], after=0.1)
    world.arrives(sents[1], after=0.2)
    told = []
    world.listener.collect(sents, progress=lambda *now: told.append(now))
    assert told == [(0, 1), (0, 2), (1, 2), (2, 2)]


def test_a_batch_may_be_sent_while_it_is_collected_within_the_bound():
    world = World(in_flight=InFlight(2))
    original = world.buckets.put_object
    at_once = []

    def put_object(**kwargs):
        at_once.append(world.listener.inflight.outstanding)
        world.clock.after(0.2, lambda: world.table.record(kwargs["Key"]))
        return original(**kwargs)

    world.buckets.put_object = put_object
    collected = world.listener.collect(world.producer.send_many(str(number) for number in range(20)))
    assert len(collected.arrived) == 20
    assert max(at_once) == 2
    assert world.listener.inflight.outstanding == 0


def test_a_missing_input_can_be_explained(world):
    sent = world.send()
    (missing,) = world.listener.collect([sent], timeout=1).missing
    assert "processor wasn't invoked" in world.listener.explain(missing).cause


def test_an_empty_batch_is_refused(world):
    with pytest.raises(SettingError, match="the batch is empty"):
        world.listener.collect([])


def test_a_wait_that_ends_in_vain_frees_its_slot():
    world = World(in_flight=InFlight(1))
    with pytest.raises(WaitTimeoutError):
        world.listener.wait_for(world.send(), timeout=1)
    took, _ = world.passed(world.send)
    assert took == 0


def test_a_lost_input_blocks_the_sending_no_longer_than_the_sla():
    world = World(sla=3, in_flight=InFlight(1))
    world.send()
    took, _ = world.passed(world.send)
    assert took == pytest.approx(3)


def test_an_input_that_failed_frees_its_slot():
    world = World(in_flight=InFlight(1))
    world.fails(world.send(), after=0.1)
    took, _ = world.passed(world.send)
    assert took < 4


def test_results_of_the_run_are_read_on_demand(world):
    world.table.record("run/a")
    world.table.record("other/b")
    world.table.record(None)
    assert [result.correlation_id for result in world.listener.results()] == ["run/a"]
    assert [result.correlation_id for result in world.listener.results("other")] == ["other/b"]
    assert [result.correlation_id for result in world.listener.results("uncorrelated")] == [None]


def test_results_of_a_table_that_is_gone_are_an_error(world):
    world.table.gone = True
    for run_id in (None, "uncorrelated"):
        with pytest.raises(ResultsUnavailableError):
            world.listener.results(run_id)


def test_a_shut_gate_is_met_before_any_wait():
    with pytest.raises(GateShutError):
        World(resources=None)


def test_failures_are_awaited_and_stay_in_their_queue(world):
    sent = world.send(name="a b+ü.txt")
    world.fails(sent, after=3)
    took, failure = world.passed(lambda: world.listener.wait_for_failure(sent))
    assert 3 <= took < 4.1
    assert (failure.station, failure.attempts, failure.condition) == ("processor", 3, "RetriesExhausted")
    assert (failure.error_type, failure.error_message) == ("NotUtf8Error", "not UTF-8")
    assert failure.event["Records"][0]["s3"]["bucket"]["name"] == "source-bucket"
    assert len(world.queues.messages["queue/processor"]) == 1
    assert not world.queues.hidden


def test_an_input_that_was_to_fail_and_did_not_says_so(world):
    sent = world.send()
    world.arrives(sent, after=1)
    _, error = world.passed(lambda: world.listener.wait_for_failure(sent, timeout=2))
    assert "likely cause: it did not fail: results of it came" in str(error)
    assert "1 of this input" in str(error)


def test_a_failure_that_does_not_come_is_a_timeout_that_says_where_it_looked(world):
    took, error = world.passed(lambda: world.listener.wait_for_failure(world.send(), timeout=2))
    assert isinstance(error, WaitTimeoutError)
    assert took == pytest.approx(2, abs=0.01)
    assert "no failure of s3://source-bucket/run/" in str(error)
    assert "times into the failure queues of event_listener, processor" in str(error)


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
    bare = MAP | {"listener": {"function": "listener"}, "stations": [MAP["stations"][0]]}
    world = World(resources=bare)
    with pytest.raises(SettingError, match="no station has a failure_queue_url"):
        world.listener.wait_for_failure(world.send())
