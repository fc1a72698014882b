"""The graph of pipes from the state that provider 5.100 has written for `tests/integration/systems/piped`."""

from pathlib import Path

import pytest

from event_harness.system.found_components import of_file
from event_harness.system.graph.emulated import not_carried_out, told
from event_harness.system.parts import Component

STATE = Path(__file__).parent / "data" / "pipes_of_5_100.json"
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
def resources():
    return of_file(STATE)


def test_graph_is_the_one_drawn_by_hand(resources):
    graph = resources.graph
    names = {address: node.name for address, node in graph.nodes.items()}
    drawn = {f"{names[e.source]} -> {names[e.target]}: {e.kind}" for e in graph.edges}
    assert (graph.unread, drawn) == ((), set(DRAWN.strip().splitlines()))


def test_pipe_has_its_filter_its_batches_and_its_template(resources):
    edges = {edge.kind + edge.by.rpartition(".")[2]: edge for edge in resources.graph.edges}
    assert edges["pipe sourceannounce"].filter == 'records {"eventName": ["INSERT"]}'
    assert edges["pipe sourceannounce"].notes == ("batches of 5",)
    assert edges["pipe targetstart"].notes == ("input transformed",)


def test_pipe_is_a_component_and_its_dead_letters_are_a_failure_queue(resources):
    assert resources.component("announce") == Component("announce", "pipe", pipe="piped-test-announce")
    assert list(resources.failure_queues.values()) == ["announce", "event_listener"]


def test_what_the_emulator_does_not_carry_out_is_known(resources):
    graph = resources.graph
    assert {told(graph, edge, gap).partition(", since")[0] for edge, gap in not_carried_out(graph)} == {
        "orders -> announce (pipe source): every record passes",
        "park -> line_parked (pipe target): the pipe holds the records",
        "line_jobs -> start (pipe source): the pipe takes nothing",
        "start -> flow (pipe target): the target gets the record as it is",
    }
