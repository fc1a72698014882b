"""Faults between harness, provider, functions and AWS. `make resilience` does it with 500 events."""

import pytest

from event_harness.aws.targets import Target
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import InputFailedError, WaitTimeoutError
from event_harness.listening.listener import Listener
from event_harness.orphans.inventory import inventory
from event_harness.producers import producers_for
from event_harness.producers.inflight import InFlight
from event_harness.system.correlation import new_session_id
from event_harness.terraform import toolchain
from resilience.fault_injection import lost_answers, outage, slow, storm
from resilience.killing import SMALL_ROOT

RESETS = lost_answers(0.02, "s3", "dynamodb", "sqs")
KINDS = {"reset", "error:SlowDown", "error:ServiceUnavailable"}


@pytest.fixture
def target(injected):
    """The emulator as it is reached through the fault injection."""
    return Target.emulator(injected.url)


@pytest.fixture
def through(breakable, injected, target):
    """The system as it is reached through the fault injection, by the harness and by the functions."""
    injected.inject()
    listener = Listener(breakable.system.resources, target, new_session_id(), sla=300, in_flight=InFlight(4))
    with (
        breakable.broken(AWS_ENDPOINT_URL=injected.url, retries=2),
        breakable.broken(
            breakable.system.resources.listener.function, AWS_ENDPOINT_URL=injected.url, retries=2
        ),
    ):
        yield listener
        injected.inject()


def test_every_input_is_accounted_for_through_throttling_errors_and_resets(through, injected):
    injected.inject(*RESETS, *storm(), slow(0.1, 500))
    producer = producers_for(through)["source"]
    struck = set()
    for batch in range(10):  # the first will do, but once in some twenty times no connection is reset in it
        texts = [f"ﬁle number {batch}.{n}" for n in range(20)]
        collected = through.collect(sents := list(map(producer.send, texts)), timeout=300)
        assert collected.missing == []
        for sent, text in zip(sents, texts, strict=True):
            assert {result.text for result in collected.arrived[sent.correlation_id]} == {text.upper()}
        struck |= set(injected.fired())
        if struck >= KINDS:
            break
    assert struck >= KINDS


def test_what_should_fail_fails_under_injected_faults_too(through, injected):
    injected.inject(*storm(), slow(0.1, 500))
    producer = producers_for(through)["source"]
    with pytest.raises(InputFailedError) as failed:
        through.wait_for(producer.send(b"\xff"))
    assert "offset 0" in failed.value.report.cause  # the message is cut, and more so if no log could be read
    with pytest.raises(WaitTimeoutError):
        through.wait_for(producer.send("one thing"), until="ANOTHER", timeout=5)
    assert through.expect_none(producer.send("untold", name="notes.md"), within=3).proof == "window"


def test_inputs_sent_before_and_during_an_outage_arrive_after_it(through, injected):
    producer = producers_for(through)["source"]
    before = producer.send("patient")
    injected.inject(outage(10))
    during = producer.send("stubborn")
    assert through.wait_for(before).text == "PATIENT"
    assert through.wait_for(during).text == "STUBBORN"


def test_provider_applies_and_destroys_through_injected_faults(injected, target, tmp_path):
    injected.inject(*storm(), slow(0.1, 500))
    record = DeploymentRecord.create(
        tmp_path, root=SMALL_ROOT, target=target.name, endpoint_url=target.endpoint_url
    )
    with Deployment(SMALL_ROOT, target, toolchain.find(None, target="local"), record) as system:
        assert len(inventory(target, part=system.deployment_id)) == 7
    assert inventory(target, part=record.deployment_id) == []
    injected.inject()
