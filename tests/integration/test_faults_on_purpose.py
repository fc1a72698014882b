"""Faults on purpose strike the functions of the system, for the test's inputs, and leave nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from projects import ENDS_WITH_EMULATOR, LEAN, PATIENT, TOOLCHAIN

HERE = Path(__file__).parent
SYSTEM = HERE / "systems" / "lacking"

TESTS = r"""
import re
import time

import pytest

from event_harness import WaitTimeoutError


def cause_of(listener, sent, told):
    # Once it is told so: a machine may be slow.
    deadline = time.monotonic() + 180
    while True:
        with pytest.raises(WaitTimeoutError) as error:
            listener.wait_for(sent, timeout=3)
        cause = error.value.report.cause
        if re.match(told, cause) or time.monotonic() > deadline:
            return cause


def test_a_throttled_service_is_tried_again(producer, listener, faults):
    with faults.throttle("sqs", operation="SendMessage", times=2) as fault:
        listener.wait_for(producer.send("an order"))
    assert [strike["what"] for strike in fault.strikes] == ["RequestThrottled"] * 2
    assert {strike["function"].rpartition("-")[2] for strike in fault.strikes} == {"confirm"}


def test_a_reset_connection_is_tried_again(producer, listener, faults):
    with faults.reset("sqs", times=1) as fault:
        listener.wait_for(producer.send("an order"))
    assert len(fault.strikes) == 1


def test_a_slow_service_delays_the_result(producer, listener, faults):
    with faults.latency("sqs", seconds=1.5, operation="send_message") as fault:
        began = time.monotonic()
        listener.wait_for(producer.send("an order"))
    assert time.monotonic() - began > 1.4
    assert fault.strikes


def test_a_denied_call_is_told_as_injected(producer, listener, faults):
    told = r"injected: \d+ x AccessDenied on SendMessage \(confirm\); confirm failed: "
    with faults.denied("sqs", operation="SendMessage"):
        assert re.match(told, cause_of(listener, producer.send("an order"), told))


def test_a_function_that_raises_is_told_as_injected_and_runs_afterwards(producer, listener, faults):
    told = r"injected: \d+ x RuntimeError on invocation \(confirm\)"
    with faults.error("confirm", message="SMTP down"):
        sent = producer.send("an order")
        assert re.match(told, cause_of(listener, sent, told))
    listener.wait_for(sent, timeout=300)  # the queue delivers it again


def test_an_event_that_is_delivered_twice_gives_two_results(producer, listener, faults):
    with faults.duplicate("confirm", times=1):
        sent = producer.send("an order")
        listener.expect_exactly(sent, 2)


def test_a_function_that_times_out_or_has_no_concurrency_gets_the_message_later(producer, listener, faults):
    with faults.timeout("confirm", seconds=0.1, times=1) as timed_out:
        listener.wait_for(producer.send("an order"), timeout=300)
    with faults.concurrency("confirm", times=1) as refused, faults.cold_start("confirm", seconds=0.5) as late:
        listener.wait_for(producer.send("an order"), timeout=300)
    assert [len(fault.strikes) for fault in (timed_out, refused)] == [1, 1]
    assert late.strikes


def test_the_harness_is_not_struck_unless_asked(producer, listener, faults, deployment):
    with faults.throttle("sqs"):
        deployment.target.client("sqs").list_queues()
    with faults.error("sts", harness=True, times=1) as fault:
        deployment.target.client("sts").get_caller_identity()
    assert len(fault.strikes) == 1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with the system and these tests."""
    directory = tmp_path_factory.mktemp("faults") / "project"
    directory.mkdir()
    (directory / "test_with_faults.py").write_text(TESTS)
    (directory / "pytest.ini").write_text(f"[pytest]\nharness_root = {SYSTEM}\n")
    return directory


def ran(project, *arguments):
    usual = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "EVENT_HARNESS_"))}
    kept = {name: text for name, text in os.environ.items() if name in TOOLCHAIN}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env=usual | LEAN | PATIENT | ENDS_WITH_EMULATOR | {"EVENT_HARNESS_PROVIDERS": "mirror"} | kept,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_each_fault_strikes_as_it_says_and_only_the_inputs_of_its_own_worker(project):
    """Each test counts what was struck: the inputs of the other worker would be among them."""
    code, printed = ran(project, "-n", "2")
    assert code == 0, printed
