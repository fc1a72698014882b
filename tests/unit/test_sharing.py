"""The lender and the borrowers, with threads in place of processes and a session that deploys nothing."""

import threading

import pytest

from event_harness.deployment import DeployedSystem
from event_harness.errors import DeploymentError
from event_harness.sharing import Borrowed, Lender
from event_harness.targets import Target

SYSTEM = DeployedSystem("r1", Target.local("http://127.0.0.1:1"), {"event_harness": {"schema": 1}, "n": 3})


class FakeSession:
    def __init__(self, outcome=SYSTEM):
        self.outcome = outcome
        self.asked = 0

    def system(self):
        self.asked += 1
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.fixture
def lend(tmp_path):
    lenders = []

    def make(session):
        lenders.append(Lender(session, tmp_path / "lent" / "one"))
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
    assert [(s.run_id, s.outputs, s.target) for s in got] == [("r1", SYSTEM.outputs, SYSTEM.target)] * 4


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
        Borrowed(tmp_path / "gone").system()


def test_closing_leaves_no_folder(tmp_path):
    lender = Lender(FakeSession(), tmp_path / "lent" / "one")
    lender.open()
    lender.close()
    assert list(tmp_path.iterdir()) == []
