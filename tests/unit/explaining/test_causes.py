"""The finding that is named as the likely cause."""

import re

import pytest
from explained import REQUEST, explain, finding, processed, told_of, written
from listener_fakes import MAP, World

NEWS = {"type": "sns", "correlation": {"from": "attribute", "at": "trace_id"}}
FORKED = MAP | {
    "sources": MAP["sources"] | {"news": NEWS},
    "components": [
        *MAP["components"],
        {"name": "announce", "type": "lambda", "function": "announce", "log_group": "/announce"},
    ],
}


@pytest.fixture
def world():
    return World()


@pytest.fixture
def forked():
    """A system with a second way, to a second source, behind the first one's end."""
    return World(resources=FORKED)


def arrived_at_the_first(world, text="HELLO"):
    sent = world.send()
    processed(world, sent, "written")
    written(world, sent)
    processed(world, sent, "recorded", group="/listener")
    world.table.record(sent.correlation_id, text)
    return sent


def test_a_fault_on_the_way_to_a_silent_source_is_told_beside_what_was_not_accepted(forked):
    sent = arrived_at_the_first(forked)
    forked.logs.invoked("/announce", REQUEST, f"[ERROR] ValueError: cannot announce {sent.correlation_id}")
    from_news = lambda result: result.source == "news"  # noqa: E731 (as users write it)
    report = told_of(forked, lambda: forked.listener.wait_for(sent, timeout=1, until=from_news))
    assert report.cause.startswith("destination: its result is not the one awaited: the predicate said no")
    assert "; no result of this input from news; announce failed: ValueError: cannot announce" in report.cause


def test_each_result_that_was_not_accepted_is_told_with_its_source_time_size_and_difference(world):
    sent = arrived_at_the_first(world, "HELL")
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1, until="HELLO"))
    details = finding(report, "results").details
    told = r"from destination at \d\d:\d\d:\d\d\.\d{3}, 4 bytes: differs from line 1, column 5 on .*"
    assert re.fullmatch(told, details[0])
    assert details[-2:] == ("- HELLO", "+ HELL")


def test_a_fault_on_the_way_to_a_silent_source_is_the_cause_of_too_few_results(forked):
    sent = arrived_at_the_first(forked)
    forked.logs.invoked("/announce", REQUEST, f"[ERROR] ValueError: cannot announce {sent.correlation_id}")
    report = told_of(forked, lambda: forked.listener.wait_for(sent, timeout=1, count=2))
    assert report.cause == (
        f"announce failed: ValueError: cannot announce {sent.correlation_id}"
        "; no result of this input from news"
    )


def test_a_silent_function_before_a_silent_source_is_not_blamed_but_told(forked):
    sent = arrived_at_the_first(forked)
    forked.logs.invoked("/announce", REQUEST)
    report = told_of(forked, lambda: forked.listener.expect_exactly(sent, 2, timeout=1))
    assert report.cause == "no result of this input from news, and no component shows a fault"
    assert finding(report, "announce").state == "unknown"
    assert finding(report, "announce").text.startswith("ran 1 time since the send without an error")


def test_results_without_an_id_are_the_cause_of_too_few_results(forked):
    sent = arrived_at_the_first(forked)
    processed(forked, sent, "announced", group="/announce")
    forked.table.record(None, source="news", metadata='{"correlation_error": "no attribute trace_id"}')
    report = told_of(forked, lambda: forked.listener.wait_for(sent, timeout=1, count=2))
    assert report.cause == (
        "news: 1 result came without a correlation id (no attribute trace_id)"
        "; no result of this input from news"
    )


def test_where_every_source_has_a_result_the_difference_alone_is_the_cause(forked):
    sent = arrived_at_the_first(forked)
    forked.table.record(sent.correlation_id, "HELL", source="news")
    forked.logs.invoked("/announce", REQUEST)
    report = told_of(forked, lambda: forked.listener.wait_for(sent, timeout=1, until="HELLO!"))
    assert report.cause.startswith("destination: its result is not the one awaited: differs from line 1")
    assert "nothing came" not in report.cause


def test_an_event_that_was_recorded_under_an_id_of_the_systems_own_is_the_cause(world):
    sent = world.send()
    processed(world, sent, "written")
    written(world, sent)
    own = {"level": "INFO", "message": "recorded", "correlation_id": "3f2b7f1e"}
    world.logs.invoked("/listener", REQUEST, own)
    report = explain(world, sent)
    assert report.cause == (
        "event_listener recorded 1 event under an id that no test session made: 3f2b7f1e; does the system"
        " pass the id on, does the source's `correlation` look where it is?"
    )
    assert finding(report, "event_listener").state == "failed"


def test_an_id_that_the_system_has_cut_is_told_as_a_part_of_it(world):
    sent = world.send()
    part = sent.case_id.partition("/")[0][-10:]
    world.logs.invoked("/listener", REQUEST, {"message": "recorded", "correlation_id": part})
    told = f"event_listener recorded an event under a part of this input's correlation id: {part}"
    assert explain(world, sent).cause == told


def test_an_event_of_another_session_on_the_same_system_is_not_taken_for_this_ones(world):
    sent = world.send()
    processed(world, sent, "written")
    written(world, sent)
    other = {"correlation_id": "s1m86p1qsytdxp/01M86P1QSYTDXP0000000000AA", "message": "recorded"}
    world.logs.invoked("/listener", REQUEST, {"level": "INFO", **other})
    assert "under an id that no test session made" not in explain(world, sent).full()


def test_what_is_known_stands_before_what_is_guessed(world):
    sent = world.send()
    world.logs.invoked("/processor", REQUEST)
    written(world, sent)
    world.buckets.objects["destination-bucket"].clear()
    other = {"level": "INFO", "message": "recorded", "correlation_id": f"out/{sent.correlation_id}"}
    processed(world, sent, other, group="/listener")
    assert explain(world, sent).cause == (
        f"event_listener has it under another correlation id: out/{sent.correlation_id}"
    )


def test_a_fault_of_this_very_input_goes_before_any_unmatched(world):
    sent = world.send()
    processed(world, sent, f"[ERROR] ValueError: cannot process {sent.correlation_id}")
    world.logs.groups["/processor"][1]["message"] = (
        f"[ERROR] ValueError: cannot process {sent.correlation_id}"
    )
    world.table.record("run/of nobody")
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1))
    assert report.cause.startswith("processor failed: ValueError: cannot process")


@pytest.mark.parametrize("name", ["results", "unmatched result", "others", "uncorrelated", "event_listener"])
def test_a_component_may_have_any_name(name):
    components = [*MAP["components"][:2], MAP["components"][2] | {"name": name}]
    world = World(resources=MAP | {"components": components})
    sent = world.send()
    processed(world, sent, "written")
    cause = explain(world, sent).cause
    assert cause.startswith(f"processor ran without an error, but nothing of it came to {name};")


def test_an_event_of_a_session_that_makes_its_own_ids_is_not_called_nobodys(world):
    sent = world.send()
    processed(world, sent, "written")
    written(world, sent)
    own = {"level": "INFO", "message": "recorded", "correlation_id": "s1m86p1qsytdxp/order-10"}
    world.logs.invoked("/listener", REQUEST, own)
    assert "under an id that no test session made" not in explain(world, sent).full()


def test_what_came_without_an_id_from_a_source_that_is_asked_for_is_told(forked):
    sent = arrived_at_the_first(forked)
    processed(forked, sent, "announced", group="/announce")
    forked.table.record(None, source="news", metadata='{"correlation_error": "no attribute trace_id"}')
    from_news = lambda result: result.source == "news"  # noqa: E731 (as users write it)
    report = told_of(forked, lambda: forked.listener.wait_for(sent, timeout=1, until=from_news))
    assert "; no result of this input from news; news: 1 result came without a correlation id" in report.cause


def test_an_id_of_the_systems_own_at_one_of_two_sources_is_told(forked):
    sent = arrived_at_the_first(forked)
    processed(forked, sent, "announced", group="/announce")
    own = {"level": "INFO", "message": "recorded", "correlation_id": "order-4711"}
    forked.logs.invoked("/listener", "2" + REQUEST[1:], own)
    report = told_of(forked, lambda: forked.listener.wait_for(sent, timeout=1, count=2))
    assert report.cause.startswith(
        "event_listener recorded 1 event under an id that no test session made: order-4711"
    )
    assert report.cause.endswith("; no result of this input from news")


def test_a_wait_for_a_failure_says_which_sources_have_results_and_which_have_not(forked):
    sent = arrived_at_the_first(forked)
    report = told_of(forked, lambda: forked.listener.wait_for_failure(sent, timeout=1))
    assert report.cause.endswith("; no result of this input from news")
    assert finding(report, "results").text == "1 of this input (destination 1, news 0)"


def test_the_failure_of_a_branch_is_found_although_another_has_a_result(forked):
    sent = arrived_at_the_first(forked)
    forked.fails(sent, after=0.5)
    failure = forked.listener.wait_for_failure(sent, timeout=5)
    assert failure.component == "processor"
    report = forked.listener.explain(sent)
    assert report.cause.startswith("processor failed after")
    assert report.cause.endswith("; no result of this input from news")
    assert finding(report, "processor").state == "failed"
