"""What is known of the order of events."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listener_fakes import World

from event_harness.errors import OrderUnknownError
from event_harness.results.order import in_order


def results_of(*records):
    world = World()
    for number, record in enumerate(records):
        world.clock.sleep(0.1)
        world.table.record(f"run/{number}", **record)
    return {int(result.case_id): result for result in world.listener.results()}


def at(milliseconds, source_type="s3", source=None, **more):
    return {
        "event_time": milliseconds,
        "source_type": source_type,
        "source": source or source_type,
        **more,
    }


def test_milliseconds_of_two_sources_are_compared():
    found = results_of(at(5_001, "sqs"), at(4_999))
    assert found[1].order < found[0].order
    assert found[0].order > found[1].order
    assert sorted(found.values(), key=lambda result: result.order) == [found[1], found[0]]


@pytest.mark.parametrize("coarse", ["eventbridge", "dynamodb", "sns"])
def test_whole_seconds_are_not_compared_with_a_time_within_that_second(coarse):
    found = results_of(at(5_000, coarse), at(5_400), at(6_000), at(4_999))
    with pytest.raises(OrderUnknownError, match=r"isn't known whether .*\(whole seconds\)"):
        _ = found[0].order < found[1].order
    assert found[3].order < found[0].order < found[2].order


def test_the_same_millisecond_of_two_sources_is_no_order():
    found = results_of(at(5_001), at(5_001, "sqs"))
    with pytest.raises(OrderUnknownError):
        _ = found[0].order <= found[1].order


def test_an_event_without_a_time_is_compared_with_none():
    found = results_of(at(5_001), {"source": "nameless"})
    for one, other in ((0, 1), (1, 0)):
        with pytest.raises(OrderUnknownError, match=r"nameless.*gives no time"):
            _ = found[one].order < found[other].order


def test_records_of_one_shard_are_compared_by_their_sequence_numbers():
    metadata = '{"shard": "shard-1", "sequence": "%s"}'
    found = results_of(
        at(5_001, "kinesis", metadata=metadata % ("9" * 30)),
        at(5_001, "kinesis", metadata=metadata % ("1" + "0" * 30)),
    )
    assert found[0].order < found[1].order


@pytest.mark.parametrize("coarse", ["eventbridge", "dynamodb", "sns"])
def test_results_of_clocks_that_are_not_equally_fine_are_listed_by_arrival(coarse):
    found = results_of(at(5_900), at(5_000, coarse))
    assert in_order(found.values()) == [found[0], found[1]]


def test_results_of_equally_fine_clocks_are_listed_by_event_time():
    found = results_of(at(5_900), at(5_100, "sqs"))
    assert in_order(found.values()) == [found[1], found[0]]
    found = results_of(at(6_000, "eventbridge"), at(5_000, "dynamodb"))
    assert in_order(found.values()) == [found[1], found[0]]


def test_one_round_time_of_a_fine_clock_changes_nothing():
    found = results_of(at(5_900), at(5_000), at(4_100))
    assert in_order(found.values()) == [found[2], found[1], found[0]]


@given(st.lists(st.tuples(st.sampled_from(["s3", "sns", "sqs"]), st.integers(0, 3000)), max_size=6))
def test_whatever_is_known_of_the_order_is_true(events):
    """Of true times, rounded down as their sources round them, no comparison says the opposite."""
    rounded = [(type_, time // 1000 * 1000 if type_ == "sns" else time) for type_, time in events]
    found = results_of(*(at(time, type_, source=f"{type_}{n}") for n, (type_, time) in enumerate(rounded)))
    for one in found:
        for other in found:
            try:
                before = found[one].order < found[other].order
            except OrderUnknownError:
                continue
            assert before == (events[one][1] < events[other][1]) or one == other


def test_a_moment_says_when_it_was():
    (result,) = results_of(at(5_001)).values()
    assert result.order.earliest == datetime.fromtimestamp(5.001, UTC)
    assert str(result.order) == "the event of s3 at 00:00:05.001"
