import uuid

import pytest
from listener_fakes import World

from event_harness.errors import InputFailedError, SettingError, WaitTimeoutError
from event_harness.listening.readiness import await_ready
from event_harness.producers.inflight import InFlight


def live_after(world, seconds, answer=0.1):
    """Make the way live some seconds from now; inputs before that are lost."""
    live_at = world.clock.now + seconds
    original = world.buckets.put_object
    sent = []

    def put_object(**kwargs):
        sent.append(kwargs["Key"])
        if world.clock.now >= live_at:
            world.clock.after(answer, lambda: world.table.record(kwargs["Key"]))
        return original(**kwargs)

    world.buckets.put_object = put_object
    return sent


def test_a_way_that_is_live_is_ready_with_the_first_readiness_probe():
    world = World()
    sent = live_after(world, 0)
    assert await_ready(world.producer, world.listener, limit=60) == pytest.approx(0.1, abs=0.03)
    assert len(sent) == 1


def test_a_way_that_becomes_live_later_is_ready_then():
    world = World()
    sent = live_after(world, 20)
    took = await_ready(world.producer, world.listener, limit=60)
    # Sent at 0, 5, 12.5 and 23.75 s: each gets half as much time again as the one before.
    assert took == pytest.approx(23.85, abs=0.1)
    assert len(sent) == 4


def test_a_slow_way_is_ready_when_its_first_readiness_probe_comes():
    world = World()
    live_after(world, 0, answer=7)
    assert await_ready(world.producer, world.listener, limit=60) == pytest.approx(7, abs=0.3)


def test_a_way_that_never_becomes_live_ends_at_the_limit_with_an_explanation():
    world = World()
    sent = live_after(world, 1000)
    took, error = world.passed(lambda: await_ready(world.producer, world.listener, limit=30))
    assert isinstance(error, WaitTimeoutError)
    assert took == pytest.approx(30)
    assert f"not ready within 30 s: none of {len(sent)} readiness probes sent to source arrived" in str(error)
    assert "processor was not reached" in str(error)


def test_a_readiness_probe_that_the_system_cannot_handle_ends_it_at_once():
    world = World()
    original = world.producer.send

    def send(body):
        sent = original(body)
        world.fails(sent, after=0.1)
        return sent

    world.producer.send = send
    took, error = world.passed(lambda: await_ready(world.producer, world.listener, limit=30))
    assert isinstance(error, InputFailedError)
    assert str(error).startswith("processor failed after 3 attempts: NotUtf8Error: not UTF-8")
    assert "the input was a readiness probe, before the first test" in str(error)
    assert "harness_readiness_probe" in error.uncut
    assert error.report.cause.startswith("processor failed")
    assert took < 4


@pytest.mark.parametrize(
    ("endpoint", "raised", "took"),
    [("http://127.0.0.1:9", InputFailedError, 12.5), (None, WaitTimeoutError, 60)],
    ids=["emulator", "aws, where a permission may need time"],
)
def test_a_function_that_fails_on_two_probes_ends_it_on_an_emulator(endpoint, raised, took):
    world = World()
    world.target.endpoint_url = endpoint
    original = world.producer.send

    def send(body):
        sent = original(body)
        line = f"[ERROR] KeyError: 'to' {sent.correlation_id}"
        world.logs.invoked("/processor", str(uuid.uuid4()), line, at=world.clock.now + 0.1)
        return sent

    world.producer.send = send
    passed, error = world.passed(lambda: await_ready(world.producer, world.listener, limit=60))
    assert isinstance(error, raised)
    assert str(error).startswith("processor failed: KeyError: 'to'")
    assert "harness_readiness_probe" in error.uncut
    assert passed == pytest.approx(took, abs=6)


def test_readiness_probes_are_no_results_of_the_session():
    world = World()
    live_after(world, 0)
    await_ready(world.producer, world.listener, limit=30)
    assert world.listener.results() == []


def test_readiness_probes_hold_no_slots_afterwards():
    world = World(in_flight=InFlight(1))
    live_after(world, 20)
    await_ready(world.producer, world.listener, limit=60)
    assert world.listener.inflight.outstanding == 0


def test_a_limit_that_is_none_is_refused():
    world = World()
    with pytest.raises(SettingError, match="readiness limit is -1"):
        await_ready(world.producer, world.listener, limit=-1)
