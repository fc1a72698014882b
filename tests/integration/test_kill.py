"""Killed at a moment of each stage: listed, swept, nothing left. `make resilience` does it by the dozen."""

import pytest
import slowed
from projects import LEAN

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from resilience.killing import EVERYTHING, STAGES, Project


@pytest.fixture(autouse=True)
def lean(monkeypatch):
    for name, value in LEAN.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """An AWS that outlives the session that is killed: what that has made must be found and deleted."""
    with LocalEmulator.start(tmp_path_factory.mktemp("aws")) as aws:
        yield aws.endpoint_url


@pytest.fixture
def lasts(lasting):
    """Let terraform take at least three seconds for the topic of the project, however fast the machine is.

    The call must create nothing: the emulator carries it out, although the caller has been killed meanwhile.
    """

    def for_three_seconds(operation):
        return slowed.first_call(Target.emulator(lasting), "sns", operation, seconds=3)

    return for_three_seconds


def project(directory, target):
    """A project in which each stage counts as a second long. No session measures it first."""
    made = Project(directory, target)
    made.durations = dict.fromkeys(STAGES, 1.0)
    return made


def check_is_fine(kill):
    assert kill.hit
    assert kill.listed
    assert not any(kill.swept)
    assert kill.left == []


@pytest.mark.parametrize("stage", ["init", "apply", "destroy"])
def test_session_that_was_killed_is_listed_and_a_sweep_leaves_nothing(lasting, tmp_path, stage):
    kill = project(tmp_path / "project", lasting).kill("pytest", stage, seed=1)
    check_is_fine(kill)
    assert kill.exit_code == -9


def test_session_whose_terraform_was_killed_cleans_up_by_itself(lasting, lasts, tmp_path):
    with lasts("GetTopicAttributes"):
        kill = project(tmp_path / "project", lasting).kill("terraform", "apply", seed=2)
    check_is_fine(kill)
    assert kill.exit_code == 1
    assert "nothing to sweep" in (tmp_path / "project" / "swept").read_text()


def test_session_that_was_killed_with_all_its_processes_leaves_nothing_after_a_sweep(lasting, tmp_path):
    check_is_fine(project(tmp_path / "project", lasting).kill(EVERYTHING, "apply", seed=5))


def test_session_that_was_killed_in_a_test_is_swept_although_the_first_sweep_is_killed_too(
    lasting, lasts, tmp_path
):
    with lasts("DeleteTopic"):
        kill = project(tmp_path / "project", lasting).kill_sweep(seed=6)
    check_is_fine(kill)
    assert kill.exit_code == -9


def test_killed_session_on_the_local_target_leaves_no_process_and_no_folder(tmp_path):
    check_is_fine(project(tmp_path / "project", "local").kill("pytest", "apply", seed=4))
