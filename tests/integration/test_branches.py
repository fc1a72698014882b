"""A system with branches, pipes and a state machine: its components are found, and its ways explained."""

import json

import pytest
from reports_of_waits import report_of

from event_harness.errors import ResourceMapError
from event_harness.producers import BY_TYPE, DynamoDBProducer

DRAWN = """
orders -> forward: pipe source
orders -> ship: pipe source
lost -> stuck: pipe source
forward -> changed: pipe target
ship -> flow: pipe target
stuck -> parked: pipe target
changed -> bills: subscription
bills -> bill: event source mapping
bill -> billed: may write
bill -> failures: on failure
flow -> billed: task Send
billed -> event_listener: event source mapping
parked -> event_listener: event source mapping
"""


@pytest.fixture(scope="module")
def branches(listener_of):
    return listener_of("branches")


def name(graph, address):
    """The name of a node, without what the `for_each` of the configuration puts before it."""
    return graph.nodes[address].name.removeprefix("streamed_").removeprefix("line_")


def test_graph_is_the_one_drawn_by_hand(branches):
    graph = branches.resources.graph
    assert graph.unread == ()
    drawn = {f"{name(graph, e.source)} -> {name(graph, e.target)}: {e.kind}" for e in graph.edges}
    assert drawn == set(DRAWN.strip().splitlines())


def test_events_enter_at_both_tables_so_a_test_chooses(branches):
    with pytest.raises(ResourceMapError, match="several places: streamed_lost, streamed_orders; choose"):
        branches.resources.entry(BY_TYPE)


def test_order_comes_to_the_end_by_both_branches(branches):
    sent = DynamoDBProducer.on(branches, "streamed_orders").send({"price": 3})
    results = branches.expect_exactly(sent, {"billed": 2}, settle=2)
    assert {result.json()["id"]["S"] for result in results} == {sent.correlation_id}


def test_failure_in_one_branch_says_nothing_of_the_other(branches):
    own = f"{branches.session_id}/one/refused"
    sent = DynamoDBProducer.on(branches, "streamed_orders").send({"price": 3}, correlation_id=own)
    branches.wait_for(sent, source="billed", fail_early=False)
    report = report_of(branches, sent, "bill failed: ", count=2, source="billed", fail_early=False)
    found = {one.component: one for one in report.findings}
    assert "refused" in found["bill"].text
    assert found["bill"].state == "failed"
    assert found["streamed_orders"].state in ("ok", "unknown")
    assert "line_parked" not in found
    assert report.cause.startswith("bill failed: ")


def test_pipe_that_the_emulator_does_not_deliver_is_the_cause(branches):
    sent = DynamoDBProducer.on(branches, "streamed_lost").send({"price": 3})
    told = "stuck: the local AWS emulator does not deliver: holding"
    report = report_of(branches, sent, told)
    assert [one.component for one in report.findings][:4] == [
        "streamed_lost",
        "stuck",
        "line_parked",
        "event_listener",
    ]
    assert report.cause.startswith(told)
    said = "\n".join(next(one for one in report.findings if one.component == "emulator").details)
    assert "stuck -> line_parked (pipe target): the pipe holds the records" in said
    assert "MiniStack delivers to sns and states, not to sqs" in said


def test_pipe_that_was_stopped_is_the_cause(branches):
    pipes = branches.target.client("pipes")
    pipe = branches.resources.component("stuck").pipe
    pipes.stop_pipe(Name=pipe)
    sent = DynamoDBProducer.on(branches, "streamed_lost").send({"price": 3})
    report = branches.explain(sent)
    assert report.cause == "stuck: the pipe is STOPPED"
    assert {one.component: one.state for one in report.findings}["event_listener"] == "not reached"


def test_graph_holds_no_value_of_an_environment(branches):
    assert "POWERTOOLS" not in json.dumps(branches.resources.graph.to_json())
