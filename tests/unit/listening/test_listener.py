import pytest
from listener_fakes import World, client_error

from event_harness.errors import (
    NoTestResourcesError,
    ResultsUnavailableError,
    SettingError,
    WaitError,
    WaitTimeoutError,
)
from event_harness.listening.listener import Listener
from event_harness.producers.inflight import InFlight
from event_harness.results.sent import Sent


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
    assert lines[0].startswith("processor was not reached: ")
    first = lines.index(f"  no result for s3://source-bucket/{sent.correlation_id} within 2 s")
    looks = world.listener.reader.looks
    assert (
        lines[first + 1] == f"  looked {looks} times; results in this session: 0 of this input, 1 of others"
    )
    assert lines[first + 2] == f"  sent: 5 bytes, correlation id {sent.correlation_id}"
    own = [query["ExpressionAttributeValues"][":session"]["S"] == "run" for query in world.table.queries]
    assert looks == sum(own)


def test_a_timeout_is_a_failed_assertion_with_a_report(world):
    with pytest.raises(AssertionError) as caught:
        world.listener.wait_for(world.send(), timeout=1)
    assert isinstance(caught.value, WaitError)
    report = caught.value.report
    assert str(caught.value).splitlines()[0] == report.headline()[0]
    assert str(caught.value).endswith("\n  ".join(report.body()))
    assert "processor" in caught.value.report.full()


def test_a_timeout_after_wrong_results_shows_how_they_differ(world):
    sent = world.send()
    world.arrives(sent, after=0.1, text="HELlO")
    with pytest.raises(WaitTimeoutError) as caught:
        world.listener.wait_for(sent, timeout=1, until="HELLO")
    message = str(caught.value)
    assert "destination: its result is not the one awaited" in message
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
    with pytest.raises(WaitTimeoutError, match=r"the last look failed:\s+ThrottlingException: Rate exceeded"):
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


def test_an_input_of_another_session_is_refused(world):
    sent = Sent("other/a", "source", 1000.0, "s3://source-bucket/other/a", 5)
    with pytest.raises(
        SettingError, match="'other/a' belongs to test session 'other'; this listener reads session 'run'"
    ):
        world.listener.wait_for(sent)


@pytest.mark.parametrize("session_id", ["", "a/b", "a b", "uncorrelated", None, 7])
def test_a_session_id_that_cannot_be_one_is_refused(world, session_id):
    with pytest.raises(SettingError, match="test session id"):
        Listener(world.resources, world.target, session_id, sla=1)


def test_an_sla_that_is_none_is_refused(world):
    with pytest.raises(SettingError, match="sla is -1"):
        Listener(world.resources, world.target, "run", sla=-1)


def test_reads_of_the_table_do_not_outlast_their_deadline_by_botocore_retries(world):
    settings = [config for service, config in world.target.settings if service == "dynamodb" and config]
    assert settings
    assert all(config["retries"]["total_max_attempts"] <= 3 for config in settings)
    assert all(config["read_timeout"] <= 5 for config in settings)


def test_an_emulator_has_longer_to_answer_since_its_machine_may_be_busy(world):
    world.target.settings.clear()
    world.target.endpoint_url = "http://127.0.0.1:9"
    Listener(world.resources, world.target, "run", sla=1)
    settings = [config for _, config in world.target.settings if config]
    assert settings
    assert {config["read_timeout"] for config in settings} == {60}


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


def test_results_of_the_session_are_read_on_demand(world):
    world.table.record("run/a")
    world.table.record("other/b")
    world.table.record(None)
    assert [result.correlation_id for result in world.listener.results()] == ["run/a"]
    assert [result.correlation_id for result in world.listener.results("other")] == ["other/b"]
    assert [result.correlation_id for result in world.listener.results("uncorrelated")] == [None]


def test_results_of_a_table_that_is_gone_are_an_error(world):
    world.table.gone = True
    for session_id in (None, "uncorrelated"):
        with pytest.raises(ResultsUnavailableError):
            world.listener.results(session_id)


def test_a_shut_gate_is_met_before_any_wait():
    with pytest.raises(NoTestResourcesError):
        World(resources=None)
