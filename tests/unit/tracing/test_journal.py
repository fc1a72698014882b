"""The journal: what a session writes, a reader takes."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from event_harness.errors import InputFailedError, WaitTimeoutError
from event_harness.explaining.report import Report
from event_harness.machine.json_lines import JsonLines, Tail
from event_harness.results.sent import Sent
from event_harness.tracing import journal as journals
from event_harness.tracing.journal import Journal, Recorded, current_test, open_journal

SENT = Sent("s1/a", "source", 1000.25, "s3://bucket/s1/a", 5, service_id="message-1")


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def journal(tmp_path, clock):
    return Journal(JsonLines(tmp_path / "events.jsonl"), "s1", now=clock, test=lambda: "test_a.py::test_b")


@pytest.fixture
def read(tmp_path):
    def take():
        recorded = Recorded()
        recorded.take(Tail(tmp_path / "events.jsonl").objects())
        return recorded

    return take


def test_an_input_is_recorded_with_its_test_and_without_its_content(journal, read, tmp_path):
    journal.sent(SENT, b"hello")
    (one,) = read().inputs.values()
    assert (one.correlation_id, one.component, one.sent_at, one.size) == ("s1/a", "source", 1000.25, 5)
    assert (one.test, one.message_id, one.body) == ("test_a.py::test_b", "message-1", None)
    assert "hello" not in (tmp_path / "events.jsonl").read_text()


def test_contents_are_recorded_only_on_request_and_only_their_beginning(tmp_path, read):
    open_journal(tmp_path, "s1", bodies=True).sent(SENT, b"x" * 20_000)
    assert read().inputs["s1/a"].body == b"x" * journals.BODY


def test_a_result_counts_as_seen_when_the_first_process_read_it(journal, read, clock):
    result = SimpleNamespace(correlation_id="s1/a", event_id="e1", at=datetime.now(UTC))
    clock.now = 1001.0
    journal.seen(result)
    clock.now = 1002.0
    journal.seen(result)
    assert read().seen == {"e1": 1001.0}


def test_a_wait_is_recorded_with_its_outcome(journal, read, clock):
    with journal.wait("wait_for", 30.0, lambda: ["s1/a", "s1/a"]):
        clock.now = 1004.0
    (wait,) = read().waits
    assert (wait.method, wait.sla, wait.ids, wait.outcome) == ("wait_for", 30.0, ("s1/a",), "ok")
    assert (wait.began, wait.ended) == (1000.0, 1004.0)


def test_a_wait_in_a_wait_is_one_wait(journal, read):
    with journal.wait("expect_exactly", 1.0, lambda: ["s1/a"]), journal.wait("wait_for", 1.0, list):
        pass
    assert [wait.method for wait in read().waits] == ["expect_exactly"]


@pytest.mark.parametrize(
    ("error", "outcome", "missing", "failed"),
    [
        (WaitTimeoutError("late\nmore"), "WaitTimeoutError", ("s1/a",), ()),
        (InputFailedError("bad"), "InputFailedError", (), ("s1/a",)),
        (KeyboardInterrupt(), "interrupted", (), ()),
    ],
)
def test_an_error_of_a_wait_passes_and_is_recorded_with_its_explanation(
    journal, read, error, outcome, missing, failed
):
    error.report = Report("processor failed", ())
    with pytest.raises(type(error)), journal.wait("wait_for", 1.0, lambda: ["s1/a"]):
        raise error
    (wait,) = read().waits
    assert (wait.outcome, wait.missing, wait.failed) == (outcome, missing, failed)
    assert wait.explanation == "processor failed"
    assert wait.error == str(error).partition("\n")[0]


def test_the_error_of_a_wait_is_not_cut_at_the_width_of_the_terminal(journal, read):
    cause = "processor failed: " + "a long reason " * 30 + "at the end"
    error = WaitTimeoutError("processor failed: a long …\nmore")
    error.uncut = f"{cause}\nmore"
    with pytest.raises(WaitTimeoutError), journal.wait("wait_for", 1.0, lambda: ["s1/a"]):
        raise error
    assert read().waits[0].error == cause


def test_lines_that_make_no_sense_are_skipped(tmp_path, read):
    lines = ['{"kind": "sent"}', "[1]", "no json", '{"kind": "wait", "at": "x"}', "{" * 5000]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    recorded = read()
    assert (recorded.inputs, recorded.waits) == ({}, [])


def test_probes_are_told_apart(journal, read):
    journal.ignored(["s1/probe"])
    assert read().ignored == {"s1/probe"}


def test_a_large_journal_of_earlier_sessions_is_put_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(journals, "_KEPT", 10)
    for session in ("s1", "s2"):
        open_journal(tmp_path, session).begins(1.0, "local")
    assert json.loads((tmp_path / "events.jsonl").read_text())["session"] == "s2"
    assert json.loads((tmp_path / "events.jsonl.old").read_text())["session"] == "s1"


def test_the_running_test_is_taken_from_pytest(monkeypatch):
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "test_a.py::test_b[x (1)] (call)")
    assert current_test() == "test_a.py::test_b[x (1)]"
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    assert current_test() == ""
