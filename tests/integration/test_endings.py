"""However a session ends, short of being killed, it destroys what it has created."""

import signal

import pytest
from projects import Project

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.orphans.inventory import inventory
from resilience import signals

# A queue and no function: it is applied in a second.
WITHOUT_FUNCTIONS = "--harness-var=deploy_test_resources=false"
NEEDS_A_DEPLOYMENT = "def test_of_a_deployment(deployment):\n    pass\n"


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
        printed, _ = session.communicate(timeout=600)
    assert session.returncode != 0, printed
    assert (project.left(), inventory(lasting)) == ([], []), printed


def test_output_that_nobody_reads_any_more_keeps_nothing_from_being_destroyed(lasting, tmp_path):
    project = Project(tmp_path / "project", NEEDS_A_DEPLOYMENT, PYTHONUNBUFFERED="1")
    with project.start(WITHOUT_FUNCTIONS, f"--harness-target={lasting.endpoint_url}") as session:
        for line in session.stdout:
            if "applying" in line:
                break
        session.stdout.close()
        assert session.wait(600) != 0
    assert (project.left(), inventory(lasting)) == ([], [])


DELETES = """
import pathlib, shutil
def test_deletes_all_ignored_files(deployment):
    shutil.rmtree(".event-harness")
"""


def test_test_that_deletes_the_records_leaves_no_resource(lasting, tmp_path):
    """As `git clean -fdx` does."""
    project = Project(tmp_path / "project", DELETES)
    printed = project.run(WITHOUT_FUNCTIONS, f"--harness-target={lasting.endpoint_url}")
    assert "has been deleted: destroying deployment" in printed
    assert (project.left(), inventory(lasting)) == ([], []), printed


KILLS = """
import threading, time
import psutil
from event_harness.aws.supervisor import MARK

def test_kills_the_supervisor(deployment):
    (supervisor,) = [
        child
        for child in psutil.Process().children()
        if child.is_running() and MARK in child.environ() and "supervisor.py" in " ".join(child.cmdline())
    ]
    supervisor.kill()
    # The thread that watches the emulator ends once it has told.
    deadline = time.monotonic() + 120
    while any(one.name == "event-harness-emulator" for one in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
"""


def test_killed_emulator_is_noticed_and_terraform_is_not_asked_to_destroy(tmp_path):
    project = Project(tmp_path / "project", KILLS)
    printed = project.run(WITHOUT_FUNCTIONS)
    noticed, passed = printed.index("the local AWS emulator (process "), printed.index("1 passed")
    assert noticed < passed
    assert "is left" in printed
    assert "destroying deployment" not in printed
    assert project.left() == [], printed


def test_signals_at_random_moments_leave_nothing_and_no_session_hangs(tmp_path):
    """`make resilience ARGS=signals` tries thousands."""
    outcomes = signals.trials(tmp_path / "trials", 20, seed=1)
    assert [note for fine, note in outcomes if not fine] == []


def test_faked_clock_of_the_users_session_changes_nothing(lasting, tmp_path):
    """Both libraries at once: one replaces functions of Python, the other what they call."""
    project = Project(tmp_path / "project")
    (project.directory / "conftest.py").write_text(
        "import time\nimport freezegun, pytest, time_machine\n\n"
        "@pytest.fixture(scope='session', autouse=True)\n"
        "def faked_clock():\n"
        "    with time_machine.travel('2001-01-01'), freezegun.freeze_time('2002-02-02'):\n        yield\n\n"
        "@pytest.fixture(autouse=True)\n"
        "def both_are_on():\n"
        "    assert time.gmtime().tm_year == 2002\n"
        "    assert time.clock_gettime(time.CLOCK_REALTIME) < 1e9  # freezegun leaves this one alone\n"
    )
    project.run(f"--harness-target={lasting.endpoint_url}")
    assert (project.left(), inventory(lasting)) == ([], [])
