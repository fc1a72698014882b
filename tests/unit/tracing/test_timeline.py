"""The timeline of an event: every time comes from a record, and what none tells stays open."""

import json

import pytest
from listener_fakes import World, client_error, envelope, s3_event

from event_harness.machine.json_lines import JsonLines, Tail
from event_harness.tracing.journal import Journal, Recorded
from event_harness.tracing.tracer import Tracer

REQUEST = "11111111-1111-1111-1111-11111111111{}"


class Traced(World):
    """A world whose session keeps a journal, and a tracer that follows it."""

    def __init__(self, path):
        super().__init__()
        self.listener.journal = Journal(JsonLines(path), "run", now=self.clock, test=lambda: "t.py::test_it")
        self.tail, self.recorded = Tail(path), Recorded()
        self.tracer = Tracer(self.resources, self.target, self.recorded, self.clock())

    def invoked(self, group, number, *lines, begin, end):
        """An invocation as the emulator logs it: all lines at its end."""
        request = REQUEST.format(number)
        took = round((end - begin) * 1000)
        for line in [f"START RequestId: {request} Version: $LATEST", *lines, f"END RequestId: {request}"]:
            self.logs.write(group, line, end)
        self.logs.write(group, f"REPORT RequestId: {request}\tDuration: {took} ms\tBilled Duration: 9", end)
        return request

    def look(self):
        self.recorded.take(self.tail.objects())
        self.tracer.look()
        self.listener.failures.look()
        return self.tracer.timelines(self.listener.reader.all(), self.listener.failures.all())


@pytest.fixture
def world(tmp_path):
    return Traced(tmp_path / "events.jsonl")


def test_an_event_that_arrived_has_all_its_times(world):
    sent = world.send()
    world.invoked("/processor", 1, f"processing {sent.correlation_id}", begin=1000.1, end=1000.35)
    world.clock.now = 1000.5
    world.table.record(
        sent.correlation_id,
        event_time=1000400,
        request_id=world.invoked("/listener", 2, begin=1000.45, end=1000.55),
        metadata=json.dumps({"bucket": "destination-bucket"}),
    )
    world.listener.wait_for(sent)
    (event,) = world.look()
    assert (event.state, event.test, event.sent_at) == ("arrived", "t.py::test_it", 1000.0)
    source, processor, destination = event.visits
    assert (source.at, destination.at) == (1000.0, 1000.4)
    (attempt,) = processor.attempts
    assert (attempt.start, attempt.end, attempt.error) == (pytest.approx(1000.1), 1000.35, None)
    (arrival,) = event.arrivals
    assert (arrival.event_time, arrival.received, arrival.seen) == (1000.4, 1000.5, 1000.5)
    assert (arrival.listener.start, arrival.listener.end) == (pytest.approx(1000.45), 1000.55)
    assert event.latency == 0.5
    assert event.duplicates == 0


def test_what_no_record_tells_stays_open(world):
    sent = world.send()
    world.table.record(sent.correlation_id)
    world.listener.wait_for(sent)
    (event,) = world.look()
    _, processor, destination = event.visits
    assert processor.attempts == ()
    assert destination.at is None
    assert (event.arrivals[0].event_time, event.arrivals[0].listener) == (None, None)
    told = event.to_dict()
    assert told["components"][2] == {"name": "destination", "type": "s3", "at": None, "attempts": []}
    assert told["results"][0]["listener"] is None


def test_each_attempt_counts_also_where_a_retry_has_the_id_of_the_first_try(world):
    sent = world.send()
    text = f"ValueError: bad {sent.correlation_id}"
    for begin in (1000.1, 1001.2):
        world.invoked("/processor", 1, text, begin=begin, end=begin + 0.2)
    world.invoked("/processor", 2, text, begin=1003.2, end=1003.4)
    world.queues.put("queue/processor", envelope(s3_event(sent.correlation_id)), sent_ms=1003500)
    (event,) = world.look()
    attempts = event.visits[1].attempts
    assert [round(one.start, 3) for one in attempts] == [1000.1, 1001.2, 1003.2]
    assert all(one.error.startswith("ValueError: bad") for one in attempts)
    assert event.state == "failed"
    assert event.failures[0].component == "processor"


def test_an_invocation_that_has_not_ended_runs(world):
    sent = world.send()
    world.logs.write("/processor", f"START RequestId: {REQUEST.format(1)} Version: $LATEST", 1000.2)
    world.logs.write("/processor", f"processing {sent.correlation_id}", 1000.3)
    (event,) = world.look()
    assert event.visits[1].running
    assert (event.visits[1].start, event.visits[1].end) == (1000.2, None)
    assert event.state == "in flight"
    assert event.last == "processor"


def test_the_emulators_log_tells_of_an_invocation_while_it_runs(world, tmp_path):
    log = tmp_path / "emulator.log"
    world.target.emulator_log = log
    world.tracer = Tracer(world.resources, world.target, world.recorded, world.clock())
    fresh = "s1m8ayz87jefz8/01M8AYZGF6WJ7MGXCTF86MPQ7N"
    line = "2026-11-26 00:00:00 INFO [event_harness] invocation {} of processor {}\n"
    log.write_text(
        line.format("r1", f"begins at 1000.100 for {fresh}") + line.format("r2", "begins at 1000.200")
    )
    world.recorded.take(
        [
            {"kind": "sent", "at": 1000.0, "session": "s1m8ayz87jefz8", "test": "", "id": fresh}
            | {"component": "source", "sent_at": 1000.0, "description": "", "size": 1}
        ]
    )
    (event,) = world.look()
    assert event.visits[1].running
    with log.open("a") as file:
        file.write(line.format("r1", "ends at 1000.900"))
    (event,) = world.look()
    assert (event.visits[1].start, event.visits[1].end) == (1000.1, 1000.9)


def test_an_attempt_of_a_function_that_cant_start_tells_why(world, tmp_path):
    log = tmp_path / "emulator.log"
    world.target.emulator_log = log
    world.tracer = Tracer(world.resources, world.target, world.recorded, world.clock())
    sent = world.send()
    line = "2026-11-26 00:00:00 INFO [event_harness] invocation {} of {} {}\n"
    failed = "2026-11-26 00:00:00 ERROR [lambda] Warm worker execution error for processor: "
    log.write_text(
        line.format("r1", "processor", f"begins at 1000.100 for {sent.correlation_id}")
        + failed
        + "Worker init failed: No module named 'x'\n"
        + line.format("r9", "listener", "ends at 1000.150")
    )
    world.look()
    with log.open("a") as file:  # the next look reads the end
        file.write(line.format("r1", "processor", "ends at 1000.200"))
        file.write(line.format("r2", "processor", f"begins at 1001.000 for {sent.correlation_id}"))
        file.write(line.format("r2", "processor", "ends at 1001.100"))
    (event,) = world.look()
    first, second = event.visits[1].attempts
    assert (first.error, second.error) == ("can't start: No module named 'x'", None)
    (told,) = (one.lines for one in world.tracer.invocations.all if one.lines)
    assert [(each.text, each.at.timestamp(), each.is_error) for each in told] == [
        ("can't start: No module named 'x'", 1000.1, True)
    ]


def test_a_log_line_that_came_before_the_journals_line_finds_its_input(world):
    world.invoked("/processor", 1, "processing run/01M8AYZGF6WJ7MGXCTF86MPQ7N", begin=1000.1, end=1000.2)
    assert world.look() == []
    world.recorded.take(
        [
            {"kind": "sent", "at": 1000.0, "session": "run", "test": "", "component": "source"}
            | {"id": "run/01M8AYZGF6WJ7MGXCTF86MPQ7N", "sent_at": 1000.0, "description": "", "size": 1}
        ]
    )
    (event,) = world.look()
    assert event.visits[1].attempts


def test_lines_are_taken_once_although_each_reading_reaches_back(world):
    sent = world.send()
    world.invoked("/processor", 1, f"processing {sent.correlation_id}", begin=1000.1, end=1000.2)
    for _ in range(3):
        world.look()
    world.invoked("/processor", 2, f"processing {sent.correlation_id}", begin=1000.1, end=1000.2)
    (event,) = world.look()
    assert len(event.visits[1].attempts) == 2


def test_duplicates_are_further_results_and_further_deliveries(world):
    sent = world.send()
    world.table.record(sent.correlation_id, event_id="one")
    world.table.record(sent.correlation_id, event_id="one")
    world.table.record(sent.correlation_id, event_id="two")
    world.listener.expect_exactly(sent, 2)
    (event,) = world.look()
    assert len(event.arrivals) == 2
    assert event.duplicates == 2


def test_a_wait_in_vain_makes_an_event_missing_and_silence_that_was_proven_does_not(world):
    lost, silent = world.send(), world.send()
    _, error = world.passed(lambda: world.listener.wait_for(lost, timeout=1))
    assert error is not None
    world.listener.expect_none(silent, within=1)
    states = {event.correlation_id: event.state for event in world.look()}
    assert states == {lost.correlation_id: "missing", silent.correlation_id: "none came"}


def test_a_failure_that_was_awaited_is_a_failed_event(world):
    sent = world.send()
    world.fails(sent, 1)
    world.listener.wait_for_failure(sent)
    assert [event.state for event in world.look()] == ["failed"]


def test_a_batch_is_one_wait_with_all_its_inputs(world):
    world.clock.after(0.5, lambda: [world.table.record(one.correlation_id) for one in sents[:2]])
    sents = [world.send() for _ in range(3)]
    world.listener.collect(iter(sents), timeout=1)
    events = world.look()
    assert [event.state for event in events] == ["arrived", "arrived", "missing"]
    (wait,) = world.recorded.waits
    assert wait.method == "collect"
    assert wait.outcome == "incomplete"
    assert wait.missing == (sents[2].correlation_id,)


def test_readiness_probes_are_no_events_of_a_test(world):
    world.listener.journal.ignored(["run/probe"])
    world.table.record("run/probe")
    world.listener.reader.look()
    assert world.look() == []


def test_a_result_whose_input_is_not_known_is_an_event_without_a_send(world):
    world.table.record("run/unknown")
    world.listener.reader.look()
    (event,) = world.look()
    assert (event.sent_at, event.latency, event.state) == (None, None, "arrived")


def test_a_log_that_cannot_be_read_is_named(world):
    world.logs.error = client_error("AccessDeniedException", "not allowed")
    world.send()
    world.look()
    assert set(world.tracer.problems) == {"processor", "event_listener"}
