"""The lender and the borrowers, with threads in place of processes and a session that deploys nothing."""

import threading
import time
from pathlib import Path

import pytest

from event_harness.aws.targets import Target
from event_harness.deployments.sharing import Borrowed, Lender, lending_folder
from event_harness.errors import DeploymentError
from event_harness.system.deployed_system import DeployedSystem

SYSTEM = DeployedSystem("r1", Target.local("http://127.0.0.1:1"), {"event_harness": {"schema": 1}, "n": 3})


class FakeSession:
    def __init__(self, outcome=SYSTEM):
        self.outcome = outcome
        self.asked = 0
        self.interrupted = threading.Event()
        self.say = lambda _line: None

    def interrupt(self):
        self.interrupted.set()

    def system(self):
        self.asked += 1
        if self.outcome == "endless":
            assert self.interrupted.wait(60)
            raise KeyboardInterrupt
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.fixture
def lend(tmp_path):
    lenders = []

    def make(session):
        lenders.append(Lender(lambda: session, lending_folder(tmp_path)))
        return lenders[-1].open()

    yield make
    for lender in lenders:
        lender.close()


def test_many_borrowers_get_the_one_deployment(lend):
    session = FakeSession()
    folder, got = lend(session), []
    threads = [threading.Thread(target=lambda: got.append(Borrowed(folder).system())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.asked == 1
    assert [(s.deployment_id, s.outputs, s.target) for s in got] == [
        ("r1", SYSTEM.outputs, SYSTEM.target)
    ] * 4


def test_nothing_is_deployed_while_nobody_asks(lend):
    session = FakeSession()
    lend(session)
    assert session.asked == 0


def test_failure_reaches_every_borrower_with_its_one_line(lend):
    folder = lend(FakeSession(DeploymentError("apply failed: no such thing")))
    for _ in range(2):
        with pytest.raises(DeploymentError, match="apply failed: no such thing"):
            Borrowed(folder).system()


def test_borrower_whose_lender_has_ended_says_so(tmp_path):
    with pytest.raises(DeploymentError, match="has ended"):
        Borrowed(lending_folder(tmp_path)).system()


def test_borrower_whose_lender_was_killed_does_not_wait_for_ever(tmp_path):
    folder = tmp_path / "1-0.0"  # a pid that lives, but was started at another time
    folder.mkdir()
    with pytest.raises(DeploymentError, match="has ended"):
        Borrowed(folder).system()


def test_closing_leaves_no_folder(tmp_path):
    lender = Lender(FakeSession, lending_folder(tmp_path))
    lender.open()
    lender.close()
    assert list(tmp_path.iterdir()) == []


def test_two_lenders_may_end_at_the_same_time(tmp_path, monkeypatch):
    lender = Lender(FakeSession, lending_folder(tmp_path))
    lender.open()
    monkeypatch.setattr(Path, "rmdir", lambda _self: (_ for _ in ()).throw(FileNotFoundError))
    lender.close()
    assert not lender.folder.exists()


def test_closing_interrupts_an_apply_that_nobody_waits_for_any_more(tmp_path):
    session = FakeSession("endless")
    lender = Lender(lambda: session, lending_folder(tmp_path))
    folder = lender.open()
    (folder / "wanted").touch()
    while not session.asked:
        time.sleep(0.01)
    lender.close()
    assert session.interrupted.is_set()
    assert list(tmp_path.iterdir()) == []
