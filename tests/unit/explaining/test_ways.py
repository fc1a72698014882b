"""Ways with branches and joins: what one component says of those before it, behind it and beside it."""

from dataclasses import replace

import pytest
from listener_fakes import World

from event_harness.explaining.path import account
from event_harness.explaining.probes.asking import Seen
from event_harness.explaining.report import Finding
from event_harness.explaining.ways import Ways, of_later_passes, sources_reached, ways_from, with_links
from event_harness.explaining.wiring import Link
from event_harness.results.failure import parse
from event_harness.system.found_components import with_graph
from event_harness.system.graph.model import LISTENER, Edge, Graph, Node
from event_harness.system.resources import Component

TYPES = {
    "topic": "sns",
    "queue": "sqs",
    "bus": "eventbridge",
    "pipe": "pipe",
    "bucket": "s3",
    "far": "other",
    "machine": "stepfunctions",
}
LISTENING = Component("event_listener", "lambda", function="listener")


def kind(name):
    return next((type_ for start, type_ in TYPES.items() if name.startswith(start)), "lambda")


def system(*lines, sources=("one",)):
    """A resource map with the graph of lines such as `topic -> fn1`, `fn1 ~> queue` (may write)."""
    edges, nodes = [], {LISTENER: Node(LISTENER, LISTENER, "k", "lambda", "listener")}
    for line in lines:
        source, arrow, target = line.split()
        known = "allowed" if arrow == "~>" else "declared"
        notes = (f"source {sources[0]}",) if target == LISTENER else ()
        if target == LISTENER and len(sources) > 1:
            notes = (f"source {sources[len([e for e in edges if e.target == LISTENER])]}",)
        edges.append(Edge(source, target, "x", known, notes=notes))
        for name in (source, target):
            if name != LISTENER:
                nodes[name] = Node(name, name, "k", kind(name), name)
    resources = replace(World().resources, components=(), sources=dict.fromkeys(sources, None), by_hand=False)
    return with_graph(resources, Graph(nodes, tuple(edges)))


def states_of(resources, entry, said, *, links=None, failures=(), resulted=False):
    """The states of the components of a path, from what some of them say by themselves."""
    ways = ways_from(resources, entry, LISTENING)
    seen = []
    for component in ways.path:
        state = said.get(component.name, "unknown")
        here = state in ("ok", "running")
        cause = f"{component.name} {state}" if state in ("failed", "running") else None
        given = (links or {}).get(component.name)
        seen.append(Seen(Finding(component.name, state, state, cause=cause, here=here), given))
    ways = with_links(ways, seen, forked=False)
    seen = of_later_passes(ways, seen)
    failed = {name: parse({"MessageId": name, "Body": "{}"}, "queue", name) for name in failures}
    return {one.component: one for one in account(ways, seen, failed, resulted=resulted)}


def shown(findings):
    return {name: one.state for name, one in findings.items()}


FORK = ["topic -> fn1", "topic -> fn2", "fn1 ~> queue1", "fn2 ~> queue2"]
ENDS = [f"queue1 -> {LISTENER}", f"queue2 -> {LISTENER}"]


def test_path_is_the_part_of_the_graph_between_the_input_and_the_listener():
    resources = system(*FORK, *ENDS, "fn2 ~> audit", "queue0 -> fn1")
    assert [one.name for one in ways_from(resources, "topic", LISTENING).path] == [
        "topic",
        "fn1",
        "queue1",
        "fn2",
        "queue2",
        "event_listener",
    ]
    assert [one.name for one in ways_from(resources, "queue0", LISTENING).path] == [
        "queue0",
        "fn1",
        "queue1",
        "event_listener",
    ]


def test_branch_that_worked_says_nothing_of_the_other_branch():
    found = states_of(system(*FORK, *ENDS), "topic", {"fn1": "ok", "queue1": "ok", "fn2": "not reached"})
    assert shown(found) == {
        "topic": "ok",
        "fn1": "ok",
        "queue1": "ok",
        "fn2": "not reached",
        "queue2": "not reached",
        "event_listener": "unknown",
    }
    assert found["queue2"].text == "not reached: fn2 was not reached"


def test_join_is_reached_while_one_of_its_ways_is_open():
    join = [*FORK[:2], "fn1 ~> queue", "fn2 ~> queue", f"queue -> {LISTENER}"]
    found = states_of(system(*join), "topic", {"fn1": "failed"})
    assert shown(found)["queue"] == "unknown"
    found = states_of(system(*join), "topic", {"fn1": "failed", "fn2": "failed"})
    assert shown(found)["queue"] == shown(found)["event_listener"] == "not reached"


CALLED = [
    "api -> machine",
    "machine -> assess",
    "machine -> store",
    "store ~> bucket",
    f"bucket -> {LISTENER}",
]


def test_function_that_a_state_machine_calls_is_among_those_of_the_way():
    ways = ways_from(system(*CALLED), "api", LISTENING)
    names = [one.name for one in ways.path]
    assert names == ["api", "machine", "assess", "store", "bucket", "event_listener"]
    assert {names[task]: names[machine] for task, machine in ways.called.items()} == {"assess": "machine"}
    assert not ways.branched


def test_error_of_a_called_function_is_its_own_unless_the_state_machine_went_on():
    found = states_of(system(*CALLED), "api", {"machine": "failed", "assess": "failed"})
    assert found["assess"].cause == "assess failed"
    found = states_of(system(*CALLED), "api", {"machine": "ok", "assess": "failed", "store": "not reached"})
    assert (found["assess"].state, found["assess"].cause) == ("failed", None)
    assert found["assess"].text == "failed; machine went on all the same"


def test_what_ends_with_an_error_may_have_called_those_behind_it_before():
    ways = ways_from(system("api -> fn", f"fn -> {LISTENER}"), "api", LISTENING)
    seen = [Seen(Finding("api", "failed", "answered 422", cause="c", here=True, ended=True))]
    seen += [Seen(Finding(one.name, "unknown", "ran once")) for one in ways.path[1:]]
    found = account(ways, seen, {}, resulted=False)
    assert [one.state for one in found] == ["failed", "unknown", "unknown"]


def test_bus_that_does_not_tell_what_has_passed_tells_what_alone_may_pass():
    resources = system("fn1 ~> bus", "bus -> fn2", f"fn2 -> {LISTENER}")
    links = {"bus": (Link("arn:aws:lambda:r:1:function:fn2", "rule hot", filter='events {"heat": [90]}'),)}
    found = states_of(resources, "fn1", {"fn1": "ok", "bus": "unknown"}, links=links)
    assert found["bus"].text == 'unknown; its rule hot passes only events {"heat": [90]}'


def test_function_that_can_not_start_is_no_cause_behind_a_connection_that_is_not_there():
    resources = system("bus -> fn2", f"fn2 -> {LISTENER}")
    found = states_of(resources, "bus", {"fn2": "failed"}, links={"bus": ()})
    assert (found["fn2"].state, found["fn2"].cause) == ("not reached", "bus: it has no rule")
    assert found["fn2"].text == "bus: it has no rule; besides, it failed"
    resources = system("bus -> topic", "topic -> fn2", f"fn2 -> {LISTENER}")
    found = states_of(resources, "bus", {"fn2": "failed"}, links={"bus": ()})
    assert (found["topic"].cause, found["fn2"].cause) == ("bus: it has no rule", None)


def test_component_behind_a_join_shows_that_what_all_ways_share_was_passed():
    join = [*FORK[:2], "fn1 ~> queue", "fn2 ~> queue", "queue -> fn3", f"fn3 ~> {LISTENER}"]
    found = states_of(system(*join), "topic", {"fn3": "ok"})
    assert shown(found) == {
        "topic": "ok",
        "fn1": "unknown",
        "fn2": "unknown",
        "queue": "ok",
        "fn3": "ok",
        "event_listener": "unknown",
    }


def test_result_that_came_by_one_way_says_nothing_of_the_others():
    join = [*FORK[:2], "fn1 ~> queue", "fn2 ~> queue", f"queue -> {LISTENER}"]
    found = states_of(system(*join), "topic", {"fn1": "failed", "event_listener": "ok"}, resulted=True)
    assert shown(found) == {
        "topic": "ok",
        "fn1": "failed",
        "fn2": "unknown",
        "queue": "ok",
        "event_listener": "ok",
    }


def test_circle_ends():
    circle = ["bucket -> fn1", "fn1 ~> bucket", f"bucket -> {LISTENER}"]
    assert shown(states_of(system(*circle), "bucket", {"fn1": "failed"})) == {
        "bucket": "unknown",
        "fn1": "failed",
        "event_listener": "unknown",
    }


def test_gap_in_the_graph_is_guessed_across_and_a_read_connection_explains_it():
    parts = ["topic -> fn1", "queue -> fn2", f"fn2 ~> {LISTENER}"]
    found = states_of(system(*parts), "topic", {"fn2": "not reached"})
    assert shown(found) == {
        "topic": "unknown",
        "fn1": "unknown",
        "queue": "unknown",
        "fn2": "not reached",
        "event_listener": "not reached",
    }
    lonely = ["topic ~> fn1", f"fn1 ~> {LISTENER}"]
    found = states_of(system(*lonely), "topic", {}, links={"topic": ()})
    assert found["fn1"].cause == "topic: it has no subscription"
    assert shown(found)["event_listener"] == "not reached"


def test_filter_that_refuses_the_input_closes_one_branch_only():
    arn = "arn:aws:lambda:r:1:function:"
    links = (
        Link(f"{arn}fn1", "subscription", filter="{}", unmatched="kind must be 'a'"),
        Link(f"{arn}fn2", "subscription"),
    )
    resources = system(*FORK, *ENDS)
    found = states_of(resources, "topic", {"fn2": "ok"}, links={"topic": links})
    assert shown(found)["fn1"] == "not reached"
    assert found["fn1"].certain
    assert shown(found)["queue1"] == "not reached"
    assert shown(found)["queue2"] == "unknown"


def test_pipe_is_not_blamed_for_a_missing_event_source_mapping():
    resources = system("queue1 -> pipe", "pipe -> topic", f"topic -> {LISTENER}")
    found = states_of(resources, "queue1", {}, links={"queue1": ()})
    assert {one.state for one in found.values()} == {"unknown"}


def test_component_that_the_harness_cannot_look_into_is_in_the_path():
    resources = system("queue1 -> far", f"far -> {LISTENER}")
    assert [one.type for one in ways_from(resources, "queue1", LISTENING).path] == ["sqs", "other", "lambda"]


@pytest.mark.parametrize("failure", [False, True])
def test_failure_message_counts_where_a_later_component_has_seen_the_input(failure):
    resources = system("queue1 -> fn1", "fn1 ~> queue2", f"queue2 -> {LISTENER}")
    found = states_of(resources, "queue1", {"queue2": "ok"}, failures=["fn1"] if failure else [])
    assert shown(found)["fn1"] == ("failed" if failure else "ok")


def test_sources_that_an_input_can_come_to():
    resources = system(*FORK, *ENDS, "queue0 -> fn1", sources=("one", "two"))
    assert sources_reached(resources, "topic") == {"one", "two"}
    assert sources_reached(resources, "queue0") == {"one"}
    assert sources_reached(resources, "nobody") == {"one", "two"}
    assert sources_reached(World().resources, "source") == set(World().resources.sources)


def test_list_without_a_graph_is_one_chain():
    path = (Component("queue1", "sqs", queue_url="q"), Component("fn1", "lambda", function="fn1"), LISTENING)
    ways = with_links(Ways(path), [Seen(Finding("", "", ""))] * 3, forked=False)
    assert ways.guessed == {(0, 1), (1, 2)}
    assert not ways.branched


def rule(target, unmatched=None):
    return Link(f"arn:aws:lambda:r:1:function:{target}", f"rule {target}", filter="x", unmatched=unmatched)


def test_a_filter_for_events_that_the_system_puts_on_the_bus_later_is_no_cause():
    resources = system("bus -> fn", "fn ~> bus", f"bus -> {LISTENER}")
    links = {"bus": (rule("fn"), rule("listener", "source must be shop.confirmed"))}
    found = states_of(resources, "bus", {"fn": "ok", "event_listener": "not reached"}, links=links)
    assert shown(found) == {"bus": "ok", "fn": "ok", "event_listener": "not reached"}
    assert found["event_listener"].cause is None


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        (["bus -> fn", "fn ~> bus"], ["fn", "listener"]),  # no rule takes the input
        (["bus -> fn"], ["listener"]),  # nothing comes back to the bus
    ],
)
def test_a_filter_that_the_input_must_match_stays_a_cause(lines, refused):
    resources = system(*lines, f"bus -> {LISTENER}")
    links = {
        "bus": tuple(rule(one, "source must be x" if one in refused else None) for one in ("fn", "listener"))
    }
    found = states_of(resources, "bus", {"event_listener": "not reached"}, links=links)
    assert found["event_listener"].cause == "bus: its rule listener filters it out: source must be x"
