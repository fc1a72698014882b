"""One reader shared by threads: who looks, who is woken, who takes over."""

import threading

import pytest
from listener_fakes import RESULTS, Clock, Table, reader_of

from event_harness.results.reader import Reader
from event_harness.results.results_table import ResultsTable


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def table(clock):
    return Table(clock)


@pytest.fixture
def reader(table, clock):
    return reader_of(table, clock)


def wait(reader, correlation_id, seconds):
    return reader.wait(lambda: reader.of(correlation_id) or None, reader._clock() + seconds)


class Unchanging:
    """A table that counts its queries and has an item for each of many inputs once all wait."""

    def __init__(self, parties):
        self.table = Table(lambda: 1000.0)
        self.waiting = 0
        self.parties = parties
        self.at_once = self.most_at_once = self.count = 0
        self.lock = threading.Lock()

    def query(self, **kwargs):
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.count += 1
            if self.waiting == self.parties and not self.table.items:
                for number in range(self.parties):
                    self.table.record(f"run/{number}")
        try:
            return self.table.query(**kwargs)
        finally:
            with self.lock:
                self.at_once -= 1


def test_many_threads_share_the_looks_and_never_look_at_once():
    source = Unchanging(parties=20)
    reader = Reader(ResultsTable(RESULTS, source, None), "run")
    found = {}

    def one(number):
        with source.lock:
            source.waiting += 1
        deadline = reader._clock() + 30
        found[number] = reader.wait(lambda: reader.of(f"run/{number}") or None, deadline)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert all(found[number][0].correlation_id == f"run/{number}" for number in range(20))
    assert source.most_at_once == 1
    # Twenty threads that looked each for itself would have needed one query each after the items came.
    looks_after_all_waited = reader.looks
    assert looks_after_all_waited == source.count


def test_a_judge_that_is_woken_is_asked_before_the_next_look(reader, table, clock):
    looks_when_asked = []
    clock.after(0.01, reader.wake)
    reader.wait(lambda: looks_when_asked.append(reader.looks), clock.now + 1)
    assert looks_when_asked[:4] == [0, 1, 1, 2]


def test_a_judge_that_takes_long_does_not_keep_others_from_looking():
    table = Table(lambda: 1000.0)
    reader = Reader(ResultsTable(RESULTS, table, None), "run")
    table.record("run/slow")
    slow_judges, other_is_done = threading.Event(), threading.Event()

    def slow():
        if reader.of("run/slow"):
            slow_judges.set()
            assert other_is_done.wait(30), "the other one never came through"
            return True
        return None

    thread = threading.Thread(target=reader.wait, args=(slow, reader._clock() + 30))
    thread.start()
    assert slow_judges.wait(30)
    table.record("run/other", event_id="other")
    assert wait(reader, "run/other", 30)
    # Not by its last look, the one that everybody takes for himself.
    assert int(table.queries[-1]["ExpressionAttributeValues"][":since"]["N"]) > 0
    other_is_done.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_follower_takes_over_when_the_leader_leaves():
    table = Table(lambda: 1000.0)
    reader = Reader(ResultsTable(RESULTS, table, None), "run")
    leader_leaves = threading.Event()
    leader = threading.Thread(
        target=reader.wait, args=(lambda: leader_leaves.is_set() or None, reader._clock() + 30)
    )
    found = []
    follower = threading.Thread(target=lambda: found.append(wait(reader, "run/a", 30)))
    leader.start()
    follower.start()
    leader_leaves.set()
    leader.join(30)
    table.record("run/a")
    reader.notice()
    follower.join(30)
    assert found[0][0].correlation_id == "run/a"


def test_a_response_that_drips_is_bounded_by_the_deadline_of_the_wait(monkeypatch):
    monkeypatch.setattr("event_harness.results.reader.STALLED", 0.2)
    table = Table(lambda: 1000.0)
    original, drips, ended = table.query, threading.Event(), threading.Event()

    def query(**more):
        if not drips.is_set():
            drips.set()
            ended.wait(30)
        return original(**more)

    table.query = query
    reader = Reader(ResultsTable(RESULTS, table, None), "run")
    assert wait(reader, "run/a", 0.05) is None
    assert drips.wait(30)
    table.record("run/a")
    assert wait(reader, "run/a", 30)[0].correlation_id == "run/a"
    ended.set()


def test_a_slow_answer_counts_where_a_look_has_the_time(monkeypatch):
    monkeypatch.setattr("event_harness.results.reader.STALLED", 0.05)
    table, asked = Table(lambda: 1000.0), []
    original = table.query

    def query(**more):
        asked.append(1)
        threading.Event().wait(0.2)
        return original(**more)

    table.query = query
    table.record("run/a")
    reader = Reader(ResultsTable(RESULTS, table, None), "run", stalled=60)
    assert wait(reader, "run/a", 0)[0].correlation_id == "run/a"
    assert len(asked) == 1  # no other look has begun meanwhile


def test_where_no_look_is_answered_the_wait_ends_and_says_so(monkeypatch):
    monkeypatch.setattr("event_harness.results.reader.STALLED", 0.1)
    table, ended = Table(lambda: 1000.0), threading.Event()
    table.query = lambda **_more: ended.wait(30) and {}
    reader = Reader(ResultsTable(RESULTS, table, None), "run")
    assert wait(reader, "run/a", 0.05) is None
    assert reader.last_error == "no answer within 0.1 s"
    assert reader.see(reader._clock(), 0.2) is False
    ended.set()
