"""Who of many waits is woken. All is counted; nothing depends on the time that a machine takes."""

import math
import threading

import pytest
from listener_fakes import RESULTS, Table

from event_harness.results import reader as reader_module
from event_harness.results.background import OVERSLEPT, Sleeper, Sleepers
from event_harness.results.reader import NAP, Reader
from event_harness.results.results_table import ResultsTable


def line_of(number, deadline=100.0):
    sleepers = Sleepers()
    line = [sleepers.enter(deadline, [f"run/{one}"], 0.0) for one in range(number)]
    for one in line:
        one.stirred, one.quiet, one.until = False, True, math.inf
    return sleepers, line


def woken(line):
    """The places of those that have been woken, and of those that are to judge; all sleep again."""
    awake = [n for n, one in enumerate(line) if one._lock.acquire(blocking=False)]
    stirred = [n for n, one in enumerate(line) if one.stirred]
    for one in line:
        one.stirred = False
    return awake, stirred


def test_look_without_news_wakes_one_of_a_thousand():
    sleepers, line = line_of(1000)
    sleepers.wake(1.0)
    assert woken(line) == ([0], [0])


def test_result_wakes_the_wait_for_it():
    sleepers, line = line_of(1000)
    sleepers.wake(1.0, {"run/700", "run/unknown"})
    assert woken(line) == ([0, 700], [0, 700])


def test_look_wakes_those_that_are_not_quiet_and_those_whose_deadline_is_over():
    sleepers, line = line_of(10)
    line[3].quiet = False
    line[5].deadline = 0.5
    sleepers.wake(1.0)
    assert woken(line)[0] == [0, 3, 5]


def test_wait_for_any_result_is_woken_after_each_look():
    sleepers, line = line_of(3)
    line.append(sleepers.enter(100.0, None, 0.0))
    sleepers.wake(1.0)
    assert woken(line)[0] == [0, 3]


def test_what_concerns_everybody_wakes_everybody():
    sleepers, line = line_of(10)
    sleepers.wake(1.0, everybody=True)
    assert woken(line)[1] == list(range(10))


def test_send_wakes_the_one_that_leads_and_gives_it_nothing_to_judge():
    sleepers, line = line_of(10)
    sleepers.wake_first(1.0)
    assert woken(line) == ([0], [])


def test_one_that_leaves_wakes_the_next_only_if_it_led():
    sleepers, line = line_of(10)
    sleepers.leave(line[4], 1.0)
    assert woken(line) == ([], [])
    sleepers.leave(line[0], 1.0)
    assert woken(line) == ([1], [])
    assert [sleepers.place(line[n], 1.0) for n in (1, 2, 5)] == [0, 1, 3]


def test_one_that_is_busy_lets_the_next_lead_meanwhile():
    sleepers, line = line_of(3)
    sleepers.busy(line[0], 1.0)
    assert woken(line) == ([1], [])
    assert sleepers.place(line[1], 1.0) == 0
    sleepers.wake(1.0)
    assert woken(line)[0] == [1]
    line[0].busy = False
    assert sleepers.place(line[0], 1.0) == 0


def test_one_that_oversleeps_leads_no_longer_and_joins_again_without_missing_anything():
    sleepers, line = line_of(3)
    line[0].until = 1.0
    assert sleepers.place(line[1], 1.0 + OVERSLEPT) == 1
    assert sleepers.place(line[1], 1.1 + OVERSLEPT) == 0
    assert woken(line) == ([0, 1], [0])
    assert sleepers.place(line[0], 2.0) == 2
    assert woken(line) == ([0], [0])  # it judges again before it sleeps
    assert sleepers.place(line[0], 2.0) == 2


def test_all_that_were_struck_are_let_go():
    sleepers, line = line_of(5)
    for one in line[:4]:
        one.until = 0.0
    assert sleepers.place(line[4], 1.0) == 0


def test_wakes_are_not_lost_and_do_not_add_up():
    sleeper = Sleeper(100.0, None, 0.0)
    sleeper.wake()
    sleeper.wake()
    slept = []
    sleeper.sleep(5, slept.append)
    assert slept == []
    sleeper.sleep(5, slept.append)
    assert slept == [5]


@pytest.mark.parametrize("waits", [1, 100, 10_000])
def test_naps_together_hardly_grow_with_the_number_of_waits(waits):
    """Wakes a second of all that only look whether they lead now."""
    assert sum(1 / (NAP * (1 + place)) for place in range(waits)) < 45


def test_of_many_threads_one_looks_and_each_of_the_others_is_woken_once(monkeypatch):
    """Counts what each thread does during 20 looks that see nothing, and then until all have their result."""
    monkeypatch.setattr(reader_module, "NAP", 3600.0)
    monkeypatch.setattr("event_harness.results.background.OVERSLEPT", 3600.0)  # the machine may be busy
    number, looks = 100, 20
    table = Table(lambda: 1000.0)
    reader = Reader(ResultsTable(RESULTS, table, None), "run", stalled=3600)
    slept, judged = ([0] * number for _ in range(2))
    mine = threading.local()
    sleep = Sleeper.sleep

    def counted(sleeper, seconds, instead=None):
        if hasattr(mine, "number"):  # a thread of an earlier test may still sleep
            slept[mine.number] += 1
        sleep(sleeper, seconds, instead)

    monkeypatch.setattr(Sleeper, "sleep", counted)

    def wait(one):
        mine.number = one

        def found():
            judged[one] += 1
            return reader.of(f"run/{one}") or None

        assert reader.wait(found, reader._clock() + 3600, [f"run/{one}"])

    threads = [threading.Thread(target=wait, args=(one,), daemon=True) for one in range(number)]
    for thread in threads:
        thread.start()
    while min(slept) == 0:  # all have begun
        threading.Event().wait(0.01)
    before = reader.looks
    while reader.looks < before + looks:
        threading.Event().wait(0.01)
    assert sorted(judged)[:-1] == [1] * (number - 1)
    assert sum(sorted(slept)[:-1]) <= 2 * number
    for one in range(number):
        table.record(f"run/{one}")
    reader.notice()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert sum(sorted(judged)[:-1]) <= 5 * number


def test_reader_works_in_a_forked_process_whose_parent_was_looking(monkeypatch):
    """A child has none of the threads of its parent, but the locks that they had taken."""
    table = Table(lambda: 1000.0)
    reader = Reader(ResultsTable(RESULTS, table, None), "run", stalled=3600)
    original, asked, ended = table.query, threading.Event(), threading.Event()

    def query(**_more):
        asked.set()
        ended.wait(60)
        return {}

    table.query = query
    parent = threading.Thread(target=reader.wait, args=(lambda: None, reader._clock()), daemon=True)
    parent.start()
    assert asked.wait(60)
    reader._lock.acquire()
    reader._seen._lock.acquire()
    held = reader._lock, reader._seen._lock
    monkeypatch.setattr(reader_module.os, "getpid", lambda: -1)
    table.query = original
    table.record("run/a")
    assert reader.wait(lambda: reader.of("run/a") or None, reader._clock() + 3600)
    for lock in held:
        lock.release()
    ended.set()
    parent.join(60)
