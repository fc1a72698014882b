"""However a session ends, short of being killed, it destroys what it has created."""

import signal

import pytest
from projects import Project

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.orphans.inventory import inventory


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """An AWS that outlives the sessions: with their own, everything would be gone anyway."""
    with LocalEmulator.start(tmp_path_factory.mktemp("aws")) as aws:
        yield Target.emulator(aws.endpoint_url)


@pytest.mark.usefixtures("hang_up_counts")
def test_terminal_that_hangs_up_ends_a_session_in_order(lasting, tmp_path):
    project = Project(tmp_path / "project", PYTHONUNBUFFERED="1")
    with project.start(f"--harness-target={lasting.endpoint_url}") as session:
        for line in session.stdout:
            if "applying" in line:
                session.send_signal(signal.SIGHUP)
                break
        printed, _ = session.communicate(timeout=200)
    assert session.returncode != 0, printed
    assert (project.left(), inventory(lasting)) == ([], []), printed


def test_output_that_nobody_reads_any_more_keeps_nothing_from_being_destroyed(lasting, tmp_path):
    project = Project(tmp_path / "project", PYTHONUNBUFFERED="1")
    with project.start(f"--harness-target={lasting.endpoint_url}") as session:
        for line in session.stdout:
            if "applying" in line:
                break
        session.stdout.close()
        assert session.wait(200) != 0
    assert (project.left(), inventory(lasting)) == ([], [])
