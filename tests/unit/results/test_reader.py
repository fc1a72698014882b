"""The law of looking: when the reader looks, what it reads, and what it does when AWS doesn't answer."""

from decimal import Decimal
from itertools import pairwise

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from hypothesis import given, settings
from hypothesis import strategies as st
from listener_fakes import FIELDS, Clock, Table, client_error, reader_of

from event_harness.errors import ResultsUnavailableError
from event_harness.results.look_interval import LONGEST, SHORTEST, rest


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def table(clock):
    return Table(clock)


@pytest.fixture
def reader(table, clock):
    return reader_of(table, clock)


def wait(reader, correlation_id, seconds):
    return reader.wait(lambda: reader.of(correlation_id) or None, reader._clock() + seconds)


def sinces(table):
    """From which stamp each query has read."""
    return [int(query["ExpressionAttributeValues"][":since"]["N"]) for query in table.queries]


def gaps(table):
    times = table.query_times
    return [later - earlier for earlier, later in pairwise(times)]


def test_what_is_there_is_found_at_the_first_look(reader, table, clock):
    table.record("run/a")
    assert wait(reader, "run/a", 5)[0].correlation_id == "run/a"
    assert clock.now == 1000
    assert reader.looks == reader.queries == 1


def test_what_comes_later_is_found_within_a_tenth_of_the_time_it_took(reader, table, clock):
    reader.notice()
    clock.after(1.0, lambda: table.record("run/a"))
    assert wait(reader, "run/a", 5)
    assert 1001 <= clock.now <= 1001.11


def test_looks_are_short_at_first_and_never_longer_than_a_second(reader, table):
    reader.notice()
    assert wait(reader, "run/a", 40) is None
    found = gaps(table)
    assert found[0] == pytest.approx(0.035)
    assert max(found) == pytest.approx(LONGEST)
    shown = [round(gap, 3) for gap in found[:-1]]  # the last one is cut short by the deadline
    assert shown == sorted(shown)


def test_an_arrival_makes_the_looks_short_again(reader, table, clock):
    clock.after(4, lambda: table.record("run/other"))
    wait(reader, "run/a", 8)
    arrival = next(n for n, time in enumerate(table.query_times) if time >= 1004)
    assert gaps(table)[arrival - 1] == pytest.approx(0.185)
    assert gaps(table)[arrival] == pytest.approx(0.035)


def test_a_send_makes_the_next_look_come_at_once(reader, table, clock):
    wait(reader, "run/a", 3)
    clock.sleep(0.01)
    reader.notice()
    table.record("run/a")
    sent_at = clock.now
    assert wait(reader, "run/a", 3)
    assert clock.now == sent_at


def test_the_last_look_begins_at_the_deadline_and_none_after_it(reader, table, clock):
    assert wait(reader, "run/a", 3.3) is None
    assert table.query_times[-1] == pytest.approx(1003.3)
    assert clock.now == pytest.approx(1003.3)


def test_a_deadline_in_the_past_is_one_look(reader, table):
    assert wait(reader, "run/a", 0) is None
    assert len(table.queries) == 1


def test_the_last_look_reads_the_whole_session_so_no_clock_can_hide_an_item(reader, table, clock):
    table.record("run/other")
    clock.after(1, lambda: table.record("run/a", skew=-900))
    assert wait(reader, "run/a", 5)
    assert int(table.queries[-1]["ExpressionAttributeValues"][":since"]["N"]) == 0


def test_looks_before_the_last_read_what_is_new_and_an_overlap(reader, table, clock):
    table.record("run/other")
    clock.sleep(60)
    table.record("run/newer")
    wait(reader, "run/a", 1)
    assert sinces(table)[1] == 1_060_000 - 10_000
    assert sinces(table)[0] == sinces(table)[-1] == 0


def test_looks_in_silence_soon_read_nothing_again(reader, table, clock):
    """Of 50,000 items of a session, a wait for the next one reads none in each look."""
    table.record("run/other")
    wait(reader, "run/a", 30)
    found = sinces(table)[1:-1]
    assert found == sorted(found)
    assert found[1] <= 1_000_000 - 9_000
    assert sum(since > 1_000_000 for since in found) > 15


def test_the_overlap_reaches_back_before_the_last_look_that_aws_has_answered(reader, table, clock):
    table.record("run/early")
    wait(reader, "run/early", 0)
    reader.wait(lambda: reader.looks > 3 or None, clock.now + 60)
    table.errors = [client_error("ThrottlingException")] * 70
    clock.after(0.5, lambda: table.record("run/slow", skew=-9))
    assert reader.wait(lambda: not table.errors or None, clock.now + 3600)
    assert clock.now > 1020
    assert wait(reader, "run/slow", 60)
    assert sinces(table)[-1] > 0


def test_clocks_three_seconds_apart_lose_nothing_and_cost_no_time(reader, table, clock):
    table.record("run/fast", skew=3)
    assert wait(reader, "run/fast", 5)
    clock.after(0.05, lambda: table.record("run/slow"))
    took = clock.now
    assert wait(reader, "run/slow", 5)
    assert clock.now - took < 0.1


def test_pages_are_followed_to_the_end(table, clock):
    table.page = 3
    reader = reader_of(table, clock)
    for number in range(10):
        table.record(f"run/{number}", skew=number // 4)
    assert wait(reader, "run/9", 0)
    assert len(reader.all()) == 10
    assert (reader.looks, reader.queries) == (1, 4)


def test_a_redelivery_is_one_result_that_counts_its_deliveries(reader, table, clock):
    news = []
    reader.subscribe(news.append)
    table.record("run/a", event_id="destination:1")
    wait(reader, "run/a", 0)
    clock.sleep(2)
    table.record("run/a", event_id="destination:1")
    reader.look()
    (result,) = reader.of("run/a")
    assert result.deliveries == 2
    assert result.received_at > result.first_received_at
    assert len(news) == 1


def test_a_redelivery_within_the_same_millisecond_counts_too(reader, table):
    table.record("run/a", event_id="destination:1")
    wait(reader, "run/a", 0)
    table.record("run/a", event_id="destination:1")
    reader.look()
    assert reader.of("run/a")[0].deliveries == 2


def test_a_second_event_is_a_second_result(reader, table):
    table.record("run/a", event_id="destination:1")
    table.record("run/a", event_id="destination:2")
    assert len(wait(reader, "run/a", 0)) == 2


def test_a_result_whose_id_begins_like_another_is_not_taken_for_it(reader, table):
    table.record("run/order.txt.copy.txt")
    assert wait(reader, "run/order.txt", 0) is None
    table.record("run/order.txt")
    assert [result.case_id for result in wait(reader, "run/order.txt", 0)] == ["order.txt"]


def test_other_sessions_are_not_read(reader, table):
    table.record("other/a")
    assert wait(reader, "other/a", 0) is None
    assert [result.correlation_id for result in reader.other("other")] == ["other/a"]


def test_events_without_a_correlation_id_are_found_under_their_own_session(reader, table):
    table.record(None)
    (result,) = reader.other("uncorrelated")
    assert result.correlation_id is None


@pytest.mark.parametrize(
    "error",
    [
        client_error("ProvisionedThroughputExceededException"),
        client_error("ThrottlingException"),
        client_error("RequestLimitExceeded"),
        client_error("InternalServerError", status=500),
        client_error("ServiceUnavailable", status=503),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ],
    ids=str,
)
def test_a_look_that_aws_does_not_answer_saw_nothing(reader, table, clock, error):
    table.record("run/a")
    table.errors = [error] * 3
    assert wait(reader, "run/a", 5)
    assert reader.looks == 4
    assert reader.last_error is None


def test_the_last_error_is_kept_while_aws_does_not_answer(reader, table):
    table.errors = [client_error("ThrottlingException", "Rate exceeded")] * 1000
    assert wait(reader, "run/a", 1) is None
    assert reader.last_error == "ThrottlingException: Rate exceeded"


@pytest.mark.parametrize(
    "error",
    [
        client_error("ResourceNotFoundException"),
        client_error("AccessDeniedException"),
        client_error("ValidationException", "no such index"),
        client_error("ExpiredTokenException"),
        NoCredentialsError(),
    ],
    ids=str,
)
def test_what_waiting_cannot_heal_ends_the_wait_at_once(reader, table, clock, error):
    table.errors = [error]
    with pytest.raises(ResultsUnavailableError, match="results table results can't be read"):
        wait(reader, "run/a", 5)
    assert clock.now == 1000


@pytest.mark.parametrize(
    "foreign",
    [
        {"metadata": "no json"},
        {"metadata": "[" * 100_000},
        {"metadata": {"a": 1}},
        {"size": "large"},
        {"size": Decimal("1E+125")},
        {"deliveries": -1},
        {"source": 5},
        {"correlation_id": 7},
        {"first_received_at": Decimal("1E+30")},
        {"request_id": {"a"}},
        {"event_id": "\x1b[31mred"} | {"metadata": "no json"},
    ],
    ids=str,
)
def test_an_item_that_is_no_result_is_named_once_and_ends_no_wait(reader, table, clock, caplog, foreign):
    table.record("run/foreign").update(foreign)
    clock.after(1, lambda: table.record("run/a"))
    assert wait(reader, "run/a", 5)
    reader.look()
    assert [result.correlation_id for result in reader.all()] == ["run/a"]
    assert len(caplog.records) == len(reader.unreadable) == 1
    assert "skipped an item of the results table" in caplog.text
    assert "isn't a result (" in reader.unreadable[0]
    assert "\x1b" not in caplog.text


ATTRIBUTES = st.recursive(
    st.none() | st.booleans() | st.text() | st.decimals(-(10**30), 10**30, places=3) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from(FIELDS), ATTRIBUTES, min_size=1), st.decimals(-(10**30), 10**30, places=3)
)
def test_whatever_an_item_holds_a_wait_finds_its_result_beside_it(foreign, received_at):
    clock = Clock()
    table = Table(clock)
    table.record("run/foreign").update(foreign, received_at=received_at)
    table.record("run/a", event_id="good")
    assert wait(reader_of(table, clock), "run/a", 0)


@pytest.mark.parametrize("milliseconds", [10**17, -(10**17), Decimal("1E+120")])
def test_an_event_time_beyond_all_calendars_is_no_time(reader, table, milliseconds):
    table.record("run/a", event_time=milliseconds)
    assert wait(reader, "run/a", 0)[0].event_time is None


@pytest.mark.parametrize("ahead", [60, 3600, 10**9])
def test_a_stamp_in_the_future_hides_no_later_item(reader, table, clock, ahead):
    table.record("run/from-the-future", skew=ahead)
    wait(reader, "run/from-the-future", 0)
    clock.after(2, lambda: table.record("run/a"))
    began = clock.now
    assert wait(reader, "run/a", 60)
    assert clock.now - began < 2.5


def test_a_stamp_in_the_future_hides_none_where_no_answer_tells_the_time(table, clock, monkeypatch):
    table.dated = False
    monkeypatch.setattr("event_harness.results.reader.timestamp", clock)
    reader = reader_of(table, clock)
    table.record("run/from-the-future", skew=3600)
    wait(reader, "run/from-the-future", 0)
    clock.after(2, lambda: table.record("run/a"))
    began = clock.now
    assert wait(reader, "run/a", 60)
    assert clock.now - began < 2.5


def test_a_reader_works_again_after_an_error(reader, table):
    table.errors = [client_error("AccessDeniedException")]
    with pytest.raises(ResultsUnavailableError):
        wait(reader, "run/a", 5)
    table.record("run/a")
    assert wait(reader, "run/a", 5)


def test_an_interrupt_leaves_a_reader_that_works(reader, table):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reader.wait(interrupted, reader._clock() + 5)
    table.errors = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        wait(reader, "run/a", 5)
    table.record("run/a")
    assert wait(reader, "run/a", 5)


def test_a_judge_is_asked_again_only_when_something_may_have_changed(reader, table):
    asked = []
    reader.wait(lambda: asked.append(1), reader._clock() + 2)
    assert len(asked) == reader.looks + 1


def behind_another(reader, clock):
    """Let another wait lead, which does nothing, and let every sleep end soon."""
    reader._sleepers.enter(5000.0, None, 0.0).until = float("inf")
    reader._sleep = lambda seconds: clock.sleep(min(seconds, 0.25))


def test_a_wait_for_certain_inputs_is_asked_again_when_they_or_a_failure_have_come(reader, table, clock):
    asked = []
    behind_another(reader, clock)

    def found():
        asked.append((clock.now, reader.looks))
        return len(asked) == 5 or None

    def stir(*ids):
        for one in ids:
            table.record(one)
        reader.look()

    clock.after(1, lambda: stir("run/other"))
    clock.after(2, lambda: stir("run/a", "run/other"))
    clock.after(3, stir)  # it has a result that `found` doesn't take: perhaps it does now
    clock.after(4, lambda: reader.wake(everybody=False))
    assert reader.wait(found, clock.now + 60, ["run/a", "run/b"])
    assert [at for at, _ in asked[:4]] == [1000, 1002, 1003, 1004]
    assert len(asked) == 5


def test_what_a_failure_queue_tells_wakes_waits_for_certain_inputs_only_if_it_tells_something(reader, clock):
    asked = []
    behind_another(reader, clock)
    clock.after(1, lambda: reader.wake(everybody=False))
    clock.after(2, reader.wake)
    reader.wait(lambda: asked.append(clock.now), clock.now + 3, ["run/a"])
    assert asked[:2] == [1000, 1002]


def test_the_number_of_results_is_told_without_sorting_them(reader, table):
    for number in range(5):
        table.record(f"run/{number % 3}")
    table.record("run/probe")
    reader.ignore("run/probe")
    reader.look()
    assert reader.count() == len(reader.all()) == 5


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 5),  # which event: the same one again is a redelivery
        st.floats(0, 3) | st.floats(0, 40),  # seconds until it is visible
        st.floats(-4.9, 4.9),  # how far the clock that stamped it is off
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(EVENTS, st.integers(1, 7))
def test_whatever_the_order_and_the_clocks_nothing_is_lost_and_nothing_twice(events, page):
    """Clocks up to 9.8 s apart, any order of arrival, redeliveries in between, pages of any size."""
    clock = Clock()
    table = Table(clock, page=page)
    reader = reader_of(table, clock)
    news = []
    reader.subscribe(news.append)
    for event, after, skew in events:
        clock.after(
            after,
            lambda event=event, skew=skew: table.record(
                f"run/{event}", event_id=f"destination:{event}", skew=skew
            ),
        )
    wanted = {f"run/{event}" for event, _, _ in events}
    # Not the last look, which reads everything: the others must have found them all by themselves.
    reader.wait(lambda: clock.now > 1043 or None, clock.now + 60)
    assert {result.correlation_id for result in news} == wanted
    assert len(news) == len(wanted)
    assert {result.correlation_id for result in reader.all()} == wanted
    for result in reader.all():
        assert result.deliveries == sum(f"run/{event}" == result.correlation_id for event, _, _ in events)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 3), st.floats(-1e6, 1e6)), max_size=10))
def test_with_clocks_beyond_any_overlap_the_last_look_still_finds_all(events):
    clock = Clock(now=2e6)
    table = Table(clock)
    reader = reader_of(table, clock)
    for number, (after, skew) in enumerate(events):
        clock.after(after, lambda number=number, skew=skew: table.record(f"run/{number}", skew=skew))
    reader.wait(lambda: None, clock.now + 5)
    assert len(reader.all()) == len(events)


def test_session_with_many_arrivals_is_read_less_often():
    """Each look reads the last ten seconds again: 4,000 items are 1,000 read units, every second at most."""
    clock = Clock()
    table = Table(clock)
    for number in range(4000):
        table.record(f"run/{number}")
    reader = reader_of(table, clock)
    assert reader.wait(lambda: None, clock() + 8.5) is None
    times = sorted(set(table.query_times))
    between = [
        after - before for before, after in pairwise(times[:-1])
    ]  # the last look is that of the deadline
    assert min(between) == pytest.approx(1.0)


def test_sends_do_not_shorten_the_rest_after_a_large_look(table, clock):
    for number in range(2000):
        table.record(f"run/{number}")
    reader = reader_of(table, clock)
    reader.look()
    before = len(table.queries)
    reader.notice()
    assert reader.wait(lambda: None, clock() + 0.4) is None
    assert len(table.queries) == before + 2  # two pages of the look at the deadline


def test_many_items_never_delay_a_look_by_more_than_a_second():
    assert rest(50_000) == 1.0
    assert rest(10) < SHORTEST


def test_where_results_take_long_few_looks_come_before_and_many_when_they_are_due(reader, table, clock):
    for number in range(3):
        reader.notice()
        clock.after(20, lambda number=number: table.record(f"run/{number}"))
        before, sent = len(table.queries), clock.now
        assert wait(reader, f"run/{number}", 60)
    looks = [time - sent for time in table.query_times[before:]]
    assert sum(time < 9.9 for time in looks) < 16
    assert max(later - earlier for earlier, later in pairwise(looks) if earlier >= 10) < 0.5


def test_once_it_is_known_when_results_come_a_send_causes_no_look_at_once(reader, table, clock):
    for number in range(4):
        reader.notice()
        clock.after(2, lambda number=number: table.record(f"run/{number}"))
        before, sent = len(table.queries), clock.now
        assert wait(reader, f"run/{number}", 60)
    assert 0.2 < table.query_times[before] - sent < 0.5


def test_a_send_delays_no_look_that_another_wait_needs(reader, table, clock):
    for number in range(3):
        reader.notice()
        clock.after(2, lambda number=number: table.record(f"run/{number}"))
        assert wait(reader, f"run/{number}", 60)
    reader.notice()
    for sends in range(1, 100):
        clock.after(0.1 * sends, reader.notice)
    looks, began = len(table.queries), clock.now
    clock.after(8, lambda: table.record("run/late"))
    assert wait(reader, "run/late", 60)
    assert clock.now - began < 8.5
    assert len(table.queries) - looks > 20


def test_a_result_that_comes_much_earlier_than_all_before_is_found_soon(reader, table, clock):
    for number, after in enumerate((20, 30, 0.4)):
        reader.notice()
        clock.after(after, lambda number=number: table.record(f"run/{number}"))
        sent = clock.now
        assert wait(reader, f"run/{number}", 60)
    assert clock.now - sent <= 0.51
