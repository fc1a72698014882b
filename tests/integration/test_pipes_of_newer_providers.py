"""Pipes as a newer provider deploys them: they are in the graph, and explained.

`tests/unit/system/graph/data/pipes_of_5_100.json` is the state of this system, reduced.
"""

import os

import pytest
from reports_of_waits import report_of

from event_harness.producers import DynamoDBProducer, SqsProducer
from event_harness.system.graph.emulated import not_carried_out, told

pytestmark = pytest.mark.skipif(
    os.environ.get("EVENT_HARNESS_PROVIDERS") != "registry",
    reason="hashicorp/aws 3.39 knows no aws_pipes_pipe: set EVENT_HARNESS_PROVIDERS=registry",
)

DRAWN = """
orders -> announce: pipe source
orders -> park: pipe source
line_jobs -> start: pipe source
announce -> announced: pipe target
announce -> line_lost: dead-letter queue
park -> line_parked: pipe target
start -> flow: pipe target
announced -> event_listener: subscription
"""


@pytest.fixture(scope="module")
def piped(listener_of):
    return listener_of("piped")


def test_graph_is_the_one_drawn_by_hand(piped):
    graph = piped.resources.graph
    names = {address: node.name for address, node in graph.nodes.items()}
    drawn = {f"{names[e.source]} -> {names[e.target]}: {e.kind}" for e in graph.edges}
    assert (graph.unread, drawn) == ((), set(DRAWN.strip().splitlines()))
    assert list(piped.resources.failure_queues.values()) == ["announce", "event_listener"]


def test_what_the_emulator_does_not_carry_out_is_known(piped):
    graph = piped.resources.graph
    lines = {told(graph, edge, gap).partition(", since")[0] for edge, gap in not_carried_out(graph)}
    assert lines == {
        "orders -> announce (pipe source): every record passes",
        "park -> line_parked (pipe target): the pipe holds the records",
        "line_jobs -> start (pipe source): the pipe takes nothing",
        "start -> flow (pipe target): the target gets the record as it is",
    }


def test_record_comes_through_the_pipe_that_the_emulator_delivers(piped):
    sent = DynamoDBProducer.on(piped, "orders").send({"price": 3})
    assert piped.wait_for(sent).json()["eventName"] == "INSERT"


def test_pipe_that_takes_nothing_is_the_cause(piped):
    sent = SqsProducer.on(piped, "line_jobs").send("a job")
    told = "line_jobs -> start (pipe source): the pipe takes nothing"
    assert report_of(piped, sent, told).cause.startswith(told)


def test_records_that_a_pipe_holds_are_told_in_the_words_of_the_emulator(piped):
    sent = DynamoDBProducer.on(piped, "orders").send({"price": 4})
    piped.wait_for(sent)
    report = piped.explain(sent)
    said = "\n".join(next(one for one in report.findings if one.component == "emulator").details)
    assert "holding" in said
    assert "not to sqs" in said
