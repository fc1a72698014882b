"""A wait for one source: what fails on the way to another source neither ends nor explains it."""

import pytest
from listener_fakes import MAP, World, envelope, s3_event

from event_harness.errors import InputFailedError, WaitTimeoutError
from event_harness.system.found_components import with_graph
from event_harness.system.graph.model import LISTENER, Edge, Graph, Node
from event_harness.system.resources import ResourceMap

SOURCES = {
    name: {"type": "sqs", "correlation": {"from": "attribute", "at": "id"}} for name in ("payouts", "ledger")
}
COMPONENTS = [
    MAP["components"][0],
    *(
        {"name": name, "type": "lambda", "function": name, "failure_queue_url": "queue/shared"}
        for name in ("pay", "audit")
    ),
    *({"name": f"{name}-queue", "type": "sqs", "queue_url": f"https://sqs/1/{name}"} for name in SOURCES),
]


def described():
    """A bucket that notifies two functions, each of which feeds a source of its own."""
    found = ResourceMap.from_mapping(MAP | {"sources": SOURCES, "components": COMPONENTS}, "the test's map")
    nodes = {
        one.name: Node(one.name, one.name, "listed", one.type, one.identifier) for one in found.components
    }
    nodes[LISTENER] = Node(LISTENER, LISTENER, "aws_lambda_function", "lambda", "listener")
    edges = (
        Edge("source", "pay", "notification"),
        Edge("source", "audit", "notification"),
        Edge("pay", "payouts-queue", "may write", "allowed"),
        Edge("audit", "ledger-queue", "may write", "allowed"),
        Edge("payouts-queue", LISTENER, "event source mapping", notes=("source payouts",)),
        Edge("ledger-queue", LISTENER, "event source mapping", notes=("source ledger",)),
    )
    return with_graph(found, Graph(nodes, edges))


@pytest.fixture
def world():
    made = World(resources=described())
    made.buckets.notify("source-bucket", "pay")
    made.buckets.notify("source-bucket", "audit")
    return made


def fails(world, sent, component, after=0.5):
    event = envelope(s3_event(sent.correlation_id), "ValueError", "no", function=component)
    world.clock.after(after, lambda: world.queues.put("queue/shared", event))


def test_the_failure_of_another_branch_does_not_end_a_wait_for_a_source(world):
    sent = world.send()
    fails(world, sent, "audit")
    world.arrives(sent, after=8, source="payouts")
    assert world.listener.wait_for(sent, source="payouts").source == "payouts"
    assert world.clock() - 1000 >= 8


def test_the_failure_of_its_own_branch_ends_it(world):
    sent = world.send()
    fails(world, sent, "audit")
    took, error = world.passed(lambda: world.listener.wait_for(sent, source="ledger"))
    assert isinstance(error, InputFailedError)
    assert str(error).startswith("audit failed after 3 attempts: ValueError: no")
    assert took < 5


def test_a_component_that_both_sources_need_ends_a_wait_for_either(world):
    sent = world.send()
    fails(world, sent, "source")
    for source in SOURCES:
        with pytest.raises(InputFailedError):
            world.listener.wait_for(sent, source=source)


def test_without_a_graph_any_failure_may_matter():
    world = World(resources=MAP | {"sources": SOURCES, "components": COMPONENTS})
    sent = world.send()
    fails(world, sent, "audit")
    with pytest.raises(InputFailedError):
        world.listener.wait_for(sent, source="payouts")


def test_an_explanation_says_that_the_other_branch_does_not_matter(world):
    sent = world.send()
    fails(world, sent, "audit")
    with pytest.raises(WaitTimeoutError) as caught:
        world.listener.wait_for(sent, source="payouts", timeout=4)
    report = caught.value.report
    assert report.cause.startswith("pay was not reached: not invoked since the send")
    (audit,) = (one for one in report.findings if one.component == "audit")
    assert audit.state == "failed"
    assert audit.text.endswith("it does not lead to payouts, which is awaited")


def test_an_exact_number_by_source_waits_for_its_sources_only(world):
    sent = world.send()
    fails(world, sent, "audit")
    world.arrives(sent, after=8, source="payouts")
    assert len(world.listener.expect_exactly(sent, {"payouts": 1, "ledger": 0})) == 1
    other = world.send()
    fails(world, other, "audit")
    with pytest.raises(InputFailedError):
        world.listener.expect_exactly(other, {"payouts": 1, "ledger": 1})


def test_a_batch_of_one_source_waits_although_another_branch_failed(world):
    late, lost = world.send(), world.send()
    for sent in (late, lost):
        fails(world, sent, "audit")
    world.arrives(late, after=8, source="payouts")
    collected = world.listener.collect([late, lost], source="payouts", timeout=10)
    assert late in collected.arrived
    assert collected.missing == [lost]
    assert late in collected.failed  # another branch of it
    assert collected.report.cause.startswith("pay was not reached")
    assert "ValueError" not in str(collected).partition("arrived, but a branch failed")[0]


def test_a_sentinel_of_one_source_is_awaited_although_another_branch_failed(world):
    silent = world.send()
    sentinel = world.send()
    fails(world, sentinel, "audit")
    world.arrives(sentinel, after=6, source="payouts")
    proof = world.listener.expect_none(silent, source="payouts", sentinel=sentinel, ordered=True)
    assert proof.proof == "sentinel"
