"""Processes that a dead deployment has left: ended, or waited for."""

import os
import signal
import subprocess
import sys

from event_harness.aws.ownership import PROCESS_MARK
from event_harness.deployments import sweep


def process(record, code, **environ):
    """A process of a deployment, which has said that it is ready."""
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | environ | {PROCESS_MARK: record.deployment_id},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    child.stdout.readline()
    return child


IGNORANT = (
    "import signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True)\n"
    "time.sleep(600)"
)
WRITES_ITS_STATE = (  # until its standard input ends
    "import sys\n"
    "print('ready', flush=True)\n"
    "try:\n"
    "    sys.stdin.read()\n"
    "except KeyboardInterrupt:\n"
    "    sys.exit(7)\n"
)


def test_processes_of_a_dead_deployment_are_ended_also_those_that_ignore_it(dead, state, said):
    record = dead()
    with process(record, IGNORANT) as child:
        sweep.sweep(state, say=said)
        assert child.wait(60) == -signal.SIGKILL
        child.stdout.close()


def test_terraform_that_writes_its_state_is_waited_for_and_not_interrupted_again(dead, state, said):
    record = dead()
    with process(record, WRITES_ITS_STATE, TF_DATA_DIR="x") as child:

        def say(line):
            said(line)
            child.stdin.close()  # it ends only once the sweep has said what it does

        sweep.sweep(state, say=say)
        assert child.wait(60) == 0
        child.stdout.close()
    assert "waiting" in said[0]


def test_provider_that_outlived_its_terraform_is_not_waited_for(dead, state, said, monkeypatch):
    monkeypatch.setattr(sweep, "GRACE", 0)
    record = dead()
    with process(record, IGNORANT, TF_DATA_DIR="x", TF_PLUGIN_MAGIC_COOKIE="y") as child:
        sweep.sweep(state, say=said)
        assert child.wait(60) == -signal.SIGKILL
        child.stdout.close()
    assert not any("waiting" in line for line in said)
