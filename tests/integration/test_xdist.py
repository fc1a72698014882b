"""pytest-xdist: one deployment for all workers, applied once, destroyed once, whoever dies."""

import re
import signal
import time

import pytest
from projects import Project

APPLYING = re.compile(r"applying deployment (\w+)")
# Eight letters over all workers; each says who has sent it, and to which deployment.
TESTS = """
import os, pathlib, pytest, signal, threading

@pytest.fixture(autouse=True)
def _said(request):
    with open("said", "a") as file:
        file.write(os.environ.get("PYTEST_XDIST_WORKER", "-") + "\\n")

@pytest.mark.parametrize("number", range(8))
def test_letter_arrives(number, producer, listener, deployment):
    with open("runs", "a") as file:
        file.write(deployment.deployment_id + "\\n")
    assert listener.wait_for(producer.send(f"letter {number}")).text == f"letter {number}"
"""
DIE = """
def test_that_kills_its_worker(producer, listener):
    producer.send("the last one")
    os.kill(os.getpid(), signal.SIGKILL)

@pytest.fixture(scope="session", autouse=True)
def _dies_while_it_waits():
    if os.environ["PYTEST_XDIST_WORKER"] == "gw0":
        open("dies", "w").close()
        threading.Timer(2, os.kill, (os.getpid(), signal.SIGKILL)).start()
"""


@pytest.fixture
def project(tmp_path):
    def make(tests):
        nonlocal made
        made = Project(tmp_path / "project", tests, PYTHONUNBUFFERED="1")
        return made

    made = None
    yield make
    assert made.left() == []


def words(project, name):
    return (project.directory / name).read_text().split()


def deployed_once(project, printed):
    (deployment_id,) = set(words(project, "runs"))
    assert printed.count(f"applying deployment {deployment_id}") == printed.count("applying deployment") == 1
    assert (
        printed.count(f"destroying deployment {deployment_id}") == printed.count("destroying deployment") == 1
    )


def test_workers_share_one_deployment_although_some_are_killed(project):
    """One waits for the deployment when it is killed, another is in its test; both are replaced."""
    one = project(TESTS + DIE)
    printed = one.run("-n", "3", "-v", fails=True)
    assert re.search(r"worker 'gw0' crashed while running .*test_letter_arrives", printed)
    assert re.search(r"worker 'gw[1-4]' crashed while running .*test_that_kills_its_worker", printed)
    assert "2 failed, 7 passed" in printed
    assert (one.directory / "dies").exists()
    workers = set(words(one, "said"))
    assert "gw0" not in workers
    assert len(workers) >= 3
    deployed_once(one, printed)


def test_nothing_is_deployed_where_no_test_asks(project):
    printed = project("def test_of_nothing():\n    pass\n").run("-n", "2")
    assert "1 passed" in printed
    assert "applying" not in printed


def test_deployment_that_fails_is_tried_once_and_each_test_says_why(project):
    printed = project(TESTS).run("-n", "2", "--harness-var=nonsense=1", fails=True)
    assert "8 errors" in printed
    assert len(re.findall("^/.* declares no variable 'nonsense'", printed, re.MULTILINE)) == 8
    assert printed.count("starting the local AWS emulator") == 1


def test_interrupt_ends_an_apply_and_what_it_has_created_is_destroyed(project):
    one = project(TESTS)
    printed = ""
    with one.start("-n", "2", "-v") as process:
        for line in process.stdout:
            printed += line
            if record := APPLYING.search(line):
                eventually(lambda record=record[1]: has_created(one, record))
                process.send_signal(signal.SIGINT)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, printed
    assert "apply: all" not in printed
    assert printed.count("destroying deployment") == 1
    assert "destroy: all" in printed


def test_controller_that_is_killed_takes_workers_and_deployment_along(project):
    one = project(TESTS)
    with one.start("-n", "2", "-v") as process:
        for line in process.stdout:
            if record := APPLYING.search(line):
                eventually(lambda record=record[1]: has_created(one, record))
                process.kill()
                break
    # terraform goes on asking for an AWS that isn't there any more, for a minute or until it is swept.
    eventually(lambda: not [name for name in one.left() if re.match(r"process \d+ (?!terraform)", name)])
    assert "nothing of it is left" in one.command("sweep")


def has_created(project, deployment_id):
    """Whether terraform has created something for the deployment: its function takes another five seconds."""
    logs = (project.directory / ".event-harness" / "logs" / deployment_id).glob("*-apply.log")
    return any("Creation complete" in log.read_text() for log in logs)


def eventually(condition, seconds=300):
    """Wait until something holds; only a test that fails takes long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
