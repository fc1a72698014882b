import pytest
from listener_fakes import MAP, World, client_error

from event_harness.errors import (
    InputFailedError,
    ResultsUnavailableError,
    SettingError,
    UnexpectedResultError,
    WaitTimeoutError,
)
from event_harness.producers.inflight import InFlight
from event_harness.results.sent import Sent


@pytest.fixture
def world():
    return World()


def test_exactly_one_result_is_returned_after_it_has_settled(world):
    sent = world.send()
    world.arrives(sent, after=0.5)
    took, results = world.passed(lambda: world.listener.expect_exactly(sent, 1, settle=3))
    assert [result.text for result in results] == ["HELLO"]
    assert took == pytest.approx(3.5, abs=0.1)


def test_a_late_second_write_is_seen_even_at_the_last_moment(world):
    sent = world.send()
    world.arrives(sent, after=0.5)
    world.arrives(sent, after=3.4, text="WRONG")
    _, error = world.passed(lambda: world.listener.expect_exactly(sent, 1, settle=3))
    assert isinstance(error, UnexpectedResultError)
    assert "2 results for s3://source-bucket/run/" in str(error)
    assert "where exactly 1 must come" in str(error)
    assert str(error).count("\n  destination ") == 2


def test_a_duplicate_that_came_at_once_is_seen_without_settling(world):
    sent = world.send()
    world.arrives(sent, after=0.5)
    world.arrives(sent, after=0.5)
    took, error = world.passed(lambda: world.listener.expect_exactly(sent, 1, settle=3))
    assert isinstance(error, UnexpectedResultError)
    assert took < 1


def test_a_redelivery_is_no_duplicate(world):
    sent = world.send()
    world.arrives(sent, after=0.5, event_id="destination:1")
    world.arrives(sent, after=1.5, event_id="destination:1")
    (result,) = world.listener.expect_exactly(sent, 1, settle=3)
    assert result.deliveries == 2


def test_results_of_other_inputs_are_no_duplicates(world):
    sent, other = world.send(), world.send()
    world.arrives(sent, after=0.5)
    world.arrives(other, after=0.6)
    assert len(world.listener.expect_exactly(sent, 1)) == 1


def test_fewer_than_expected_is_a_timeout_that_says_how_many(world):
    sent = world.send()
    world.arrives(sent, after=0.5)
    with pytest.raises(WaitTimeoutError, match=r"1 of 2 results for .* within 1 s"):
        world.listener.expect_exactly(sent, 2, timeout=1)


def test_an_input_that_failed_ends_the_expectation(world):
    sent = world.send()
    world.fails(sent, after=0.1)
    with pytest.raises(InputFailedError):
        world.listener.expect_exactly(sent, 1)


@pytest.mark.parametrize("n", [0, -1, "1", 1.0])
def test_exactly_none_is_another_expectation(world, n):
    with pytest.raises(SettingError, match="for none use expect_none"):
        world.listener.expect_exactly(world.send(), n)


def test_a_negative_time_to_settle_is_refused(world):
    with pytest.raises(SettingError, match="settle is -1"):
        world.listener.expect_exactly(world.send(), 1, settle=-1)


def test_nothing_within_the_window_is_proven_by_the_window(world):
    took, nothing = world.passed(lambda: world.listener.expect_none(world.send(), within=4))
    assert nothing.proof == "window"
    assert took == nothing.waited == pytest.approx(4)
    assert str(nothing) == f"nothing came within the window (4.0 s, {nothing.looks} looks)"


def test_the_window_defaults_to_the_sla():
    world = World(sla=6)
    took, _ = world.passed(lambda: world.listener.expect_none(world.send()))
    assert took == pytest.approx(6)


@pytest.mark.parametrize("after", [0.0, 1.0, 3.99])
def test_a_result_at_any_time_of_the_window_is_seen(world, after):
    sent = world.send()
    world.arrives(sent, after=after)
    took, error = world.passed(lambda: world.listener.expect_none(sent, within=4))
    assert isinstance(error, UnexpectedResultError)
    assert "has results where none must come" in str(error)
    assert took <= after + 0.41


def test_a_result_whose_clock_is_far_behind_is_seen(world):
    sent, other = world.send(), world.send()
    world.arrives(other, after=0.1)
    world.arrives(sent, after=1, skew=-900)
    with pytest.raises(UnexpectedResultError):
        world.listener.expect_none(sent, within=4)


def unreadable_from(world, begin, end):
    """Plan that no read is answered for a while."""
    error = client_error("ThrottlingException", "Rate exceeded")
    world.clock.after(begin, lambda: setattr(world.table, "errors", [error] * 100_000))
    world.clock.after(end, lambda: setattr(world.table, "errors", []))


def test_a_window_that_ends_while_reads_are_throttled_proves_nothing_until_one_is_answered(world):
    sent = world.send()
    world.arrives(sent, after=3.9)
    unreadable_from(world, 3.8, 10)
    with pytest.raises(UnexpectedResultError):
        world.listener.expect_none(sent, within=4)
    unreadable_from(world, 3.8, 10)
    took, nothing = world.passed(lambda: world.listener.expect_none(world.send(), within=4))
    assert nothing.proof == "window"
    assert took >= 10


def test_a_duplicate_that_comes_while_reads_are_throttled_is_seen(world):
    sent = world.send()
    world.arrives(sent, after=0.5)
    world.arrives(sent, after=2.4)
    unreadable_from(world, 2.3, 10)
    with pytest.raises(UnexpectedResultError):
        world.listener.expect_exactly(sent, 1, settle=2)


def test_a_look_at_the_newest_arrivals_does_not_stand_for_the_whole_session(world):
    """After the last look failed, the next one that succeeds reads the newest arrivals only."""
    sent, other = world.send(), world.send()
    world.arrives(other, after=3.8)
    world.arrives(sent, after=3.9, skew=-900)
    unreadable_from(world, 3.95, 4.2)
    with pytest.raises(UnexpectedResultError):
        world.listener.expect_none(sent, within=4)


def test_the_table_is_looked_at_for_all_of_the_time_that_the_message_says(world):
    world.table.errors = [client_error("ThrottlingException")] * 10_000
    took, error = world.passed(world.listener.results)
    assert "could not be read for 15 s" in str(error)
    assert took >= 15
    looks = world.listener.reader.looks
    assert looks > 50


def test_reads_that_are_never_answered_prove_nothing(world):
    unreadable_from(world, 3.8, 1000)
    with pytest.raises(ResultsUnavailableError, match="so it isn't known which results are missing"):
        world.listener.expect_none(world.send(), within=4)
    with pytest.raises(ResultsUnavailableError, match="could not be read for 15 s"):
        world.listener.results()


def test_a_sentinel_on_an_ordered_way_proves_it_early(world):
    sent, sentinel = world.send(), world.send()
    world.arrives(sentinel, after=0.5)
    took, nothing = world.passed(
        lambda: world.listener.expect_none(sent, within=10, sentinel=sentinel, ordered=True)
    )
    assert took < 0.6
    assert nothing.proof == "sentinel"
    assert nothing.sentinel.correlation_id == sentinel.correlation_id
    assert "nothing came before the sentinel, which was sent later on an ordered path" in str(nothing)


def test_a_sentinel_proves_nothing_early_before_it_has_come_from_every_source():
    news = {"type": "sns", "correlation": {"from": "attribute", "at": "trace_id"}}
    world = World(resources=MAP | {"sources": MAP["sources"] | {"news": news}})
    sent, sentinel = world.send(), world.send()
    world.arrives(sentinel, after=0.5)
    nothing = world.listener.expect_none(sent, within=2, sentinel=sentinel, ordered=True)
    assert nothing.proof == "window"

    sent, sentinel = world.send(), world.send()
    world.arrives(sentinel, after=0.5)
    world.arrives(sentinel, after=0.7, source="news")
    took, nothing = world.passed(
        lambda: world.listener.expect_none(sent, within=10, sentinel=sentinel, ordered=True)
    )
    assert nothing.proof == "sentinel"
    assert 0.7 <= took < 1


def test_a_sentinel_on_a_way_without_order_proves_only_that_the_way_is_alive(world):
    sent, sentinel = world.send(), world.send()
    world.arrives(sentinel, after=0.5)
    took, nothing = world.passed(lambda: world.listener.expect_none(sent, within=4, sentinel=sentinel))
    assert took == pytest.approx(4)
    assert nothing.proof == "window"
    assert "the sentinel came, so the system works" in str(nothing)


def test_a_result_that_the_sentinel_overtook_is_seen_where_no_order_is_claimed(world):
    sent, sentinel = world.send(), world.send()
    world.arrives(sentinel, after=0.5)
    world.arrives(sent, after=2)
    with pytest.raises(UnexpectedResultError):
        world.listener.expect_none(sent, within=4, sentinel=sentinel)


def test_a_result_written_while_the_page_of_the_sentinel_was_read_is_seen(world):
    sent, sentinel = world.send(), world.send()
    original = world.table.query

    def query(**kwargs):
        page = original(**kwargs)
        if page["Items"]:  # the sentinel was read; the earlier input's item is written before the next page
            world.table.query = original
            world.table.record(sent.correlation_id, skew=-0.3)
        return page

    world.arrives(sentinel, after=0.5)
    world.table.query = query
    with pytest.raises(UnexpectedResultError):
        world.listener.expect_none(sent, within=4, sentinel=sentinel, ordered=True)


@pytest.mark.parametrize("ordered", [True, False])
def test_a_sentinel_that_does_not_come_proves_nothing(world, ordered):
    sent, sentinel = world.send(), world.send()
    with pytest.raises(WaitTimeoutError, match=r"the sentinel .* didn't come within 4 s either") as caught:
        world.listener.expect_none(sent, within=4, sentinel=sentinel, ordered=ordered)
    assert caught.value.report


def test_a_sentinel_that_failed_ends_the_wait(world):
    sent, sentinel = world.send(), world.send()
    world.fails(sentinel, after=0.1)
    with pytest.raises(InputFailedError):
        world.listener.expect_none(sent, sentinel=sentinel)


def test_a_sentinel_must_be_another_input_sent_later_the_same_way(world):
    early = world.send()
    world.clock.sleep(1)
    sent = world.send()
    with pytest.raises(SettingError, match="another input, sent after"):
        world.listener.expect_none(sent, sentinel=sent)
    with pytest.raises(SettingError, match="another input, sent after"):
        world.listener.expect_none(sent, sentinel=early)
    elsewhere = Sent("run/b", "processor", world.clock.now, "elsewhere", 1)
    with pytest.raises(SettingError, match="was sent to processor: send it to source"):
        world.listener.expect_none(sent, sentinel=elsewhere)
    with pytest.raises(SettingError, match="needs a sentinel"):
        world.listener.expect_none(sent, ordered=True)


def test_an_expectation_frees_the_slots_of_its_inputs():
    world = World(in_flight=InFlight(2))
    sent, sentinel = world.send(), world.send()
    world.arrives(sentinel, after=0.1)
    world.listener.expect_none(sent, within=1, sentinel=sentinel)
    assert world.listener.inflight.outstanding == 0


def test_a_result_that_the_listener_could_not_store_is_no_silence(world):
    sent = world.send()
    world.fails(sent, after=1, queue="queue/listener")
    with pytest.raises(UnexpectedResultError, match="came that the listener could not store: event_listener"):
        world.listener.expect_none(sent, within=4)


def test_a_second_result_that_the_listener_could_not_store_is_one_too_many(world):
    sent = world.send()
    world.arrives(sent, after=0.5)
    world.fails(sent, after=1, queue="queue/listener")
    with pytest.raises(UnexpectedResultError, match="could not store"):
        world.listener.expect_exactly(sent, 1, settle=2)


def test_records_of_a_stream_that_the_listener_lost_may_be_the_result(world):
    sent, sentinel = world.send(), world.send()
    lost = {"requestContext": {"condition": "RetryAttemptsExhausted"}, "KinesisBatchInfo": {}}
    world.queues.put("queue/listener", lost, sent_ms=int(world.clock() * 1000) + 1000)
    world.arrives(sentinel, after=0.5)
    with pytest.raises(WaitTimeoutError, match="could not store records of a stream"):
        world.listener.expect_none(sent, within=4, sentinel=sentinel, ordered=True)
