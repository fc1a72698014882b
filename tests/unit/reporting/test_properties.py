"""Properties of JUnit's report: what a test has sent, and what came."""

import made_up
from listener_fakes import World

from event_harness.reporting.properties import of_session, of_test
from event_harness.tracing.journal import Journal, Recorded


def recorded_world():
    world, recorded = World(), Recorded()
    world.listener.journal = Journal(None, "run", now=world.clock, test=lambda: "t.py::test_it")
    world.listener.journal.also.append(lambda line: recorded.take([line]))
    return world, recorded


def test_a_test_tells_its_events_latency_and_waits():
    world, recorded = recorded_world()
    sent, lost = world.send(), world.send()
    world.arrives(sent, 0.5)
    world.listener.wait_for(sent)
    world.passed(lambda: world.listener.wait_for(lost, timeout=1))
    told = dict(of_test("t.py::test_it", recorded, world.listener.reader.of))
    assert told["event_harness.events"] == "2"
    assert told["event_harness.arrived"] == "1"
    assert told["event_harness.missing"] == "1"
    assert told["event_harness.latency.p95"] == "0.5"
    assert told["event_harness.sla"] == "15.0"
    assert told["event_harness.waits"].startswith("wait_for: ok after 0.5")
    assert "wait_for: WaitTimeoutError after 1." in told["event_harness.waits"]


def test_another_test_has_none_of_them():
    world, recorded = recorded_world()
    world.send()
    assert of_test("t.py::test_other", recorded, world.listener.reader.of) == []


def test_the_session_tells_its_totals_and_versions():
    told = dict(of_session(made_up.session(tests=10, events=50)))
    assert told["event_harness.total.arrived"] == "49"
    assert told["event_harness.version.terraform"] == "1.11.4"
    assert told["event_harness.duration.apply"] == "13.9"
    assert float(told["event_harness.component.price_order.p95"]) > 0
