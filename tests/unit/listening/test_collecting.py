"""Waiting for a batch."""

from dataclasses import replace

import pytest
from listener_fakes import World, client_error

from event_harness.errors import ResultsUnavailableError, SettingError
from event_harness.producers.inflight import InFlight


@pytest.fixture
def world():
    return World()


def test_a_batch_is_collected_by_input(world):
    sents = [world.send(str(number)) for number in range(5)]
    for number, sent in enumerate(sents):
        world.arrives(sent, after=0.1 * number, text=str(number))
    collected = world.listener.collect(sents)
    assert collected.missing == []
    assert [collected.arrived[sent.correlation_id][0].text for sent in sents] == list("01234")
    assert str(collected) == "5 of 5 arrived"


def test_who_is_missing_from_a_batch_is_said(world):
    sents = [world.send() for _ in range(3)]
    world.arrives(sents[1], after=0.1)
    took, collected = world.passed(lambda: world.listener.collect(sents, timeout=2))
    assert took == pytest.approx(2)
    assert collected.missing == [sents[0], sents[2]]
    assert list(collected.arrived) == [sents[1].correlation_id]
    assert "1 of 3 arrived" in str(collected)
    assert sents[2].description in str(collected)


def test_the_way_of_the_first_that_is_missing_is_explained(world):
    failed, missing, lost = world.send(), world.send(), world.send()
    world.fails(failed, after=0.1)
    collected = world.listener.collect([failed, missing, lost], timeout=4)
    assert collected.report.correlation_id == missing.correlation_id
    assert f"of {missing.case_id}:\n  processor was not reached" in str(collected)


def test_who_is_missing_is_told_by_its_id_where_the_description_does_not_hold_it(world):
    sent = replace(world.send(), description="bus orders (shop, order)")
    assert f"bus orders (shop, order), id {sent.case_id}" in str(world.listener.collect([sent], timeout=1))


def test_nobody_is_called_missing_where_the_table_could_not_be_read(world):
    sent = world.send()
    world.table.errors = [client_error("ThrottlingException")] * 10_000
    with pytest.raises(ResultsUnavailableError, match="could not be read for 15 s"):
        world.listener.collect([sent], timeout=2)


def test_a_batch_does_not_wait_for_those_that_failed(world):
    sents = [world.send() for _ in range(2)]
    world.arrives(sents[0], after=0.1)
    world.fails(sents[1], after=0.1)
    took, collected = world.passed(lambda: world.listener.collect(sents))
    assert took < 4
    assert collected.missing == [sents[1]]
    assert collected.failed[sents[1].correlation_id].error_type == "NotUtf8Error"
    assert "NotUtf8Error" in str(collected)


def test_a_batch_reports_its_progress(world):
    sents = [world.send() for _ in range(2)]
    world.arrives(sents[0], after=0.1)
    world.arrives(sents[1], after=0.2)
    told = []
    world.listener.collect(sents, progress=lambda *now: told.append(now))
    assert told == [(0, 1), (0, 2), (1, 2), (2, 2)]


def test_a_batch_may_be_sent_while_it_is_collected_within_the_bound():
    world = World(in_flight=InFlight(2))
    original = world.buckets.put_object
    at_once = []

    def put_object(**kwargs):
        at_once.append(world.listener.inflight.outstanding)
        world.clock.after(0.2, lambda: world.table.record(kwargs["Key"]))
        return original(**kwargs)

    world.buckets.put_object = put_object
    collected = world.listener.collect(world.producer.send_many(str(number) for number in range(20)))
    assert len(collected.arrived) == 20
    assert max(at_once) == 2
    assert world.listener.inflight.outstanding == 0


def test_a_missing_input_can_be_explained(world):
    sent = world.send()
    (missing,) = world.listener.collect([sent], timeout=1).missing
    assert "processor was not reached" in world.listener.explain(missing).cause


def test_an_empty_batch_is_refused(world):
    with pytest.raises(SettingError, match="the batch is empty"):
        world.listener.collect([])
