"""The line about a wait that lasts."""

import threading
from contextlib import ExitStack

import pytest

from event_harness.listening.wait_line import WaitLine
from event_harness.tracing.timeline import Arrival, Attempt, Timeline, Visit


def event(name, *visits, state="in flight", arrivals=()):
    return Timeline(f"s/{name}", "", "source", "", 1, 1000.0, state, visits, arrivals)


ARRIVED = (Arrival("out", "e", None, None, 1001.0, 1001.0, 1, 5, None),)
SOURCE = Visit("source", "s3", 1000.0)
RUNNING = Visit("double", "lambda", None, (Attempt(1000.1, None, "r"),))
LEFT = Visit("double", "lambda", None, (Attempt(1000.1, 1000.2, "r"),))
ERRED_ONCE = Visit("double", "lambda", None, (Attempt(1000.1, 1000.2, "r", "bad"),))
ERRED = Visit("double", "lambda", None, (Attempt(1000.1, 1000.2, "r"), Attempt(1001.0, 1001.2, "r", "bad")))


@pytest.mark.parametrize(
    ("visits", "place"),
    [
        ([], "sent to source"),
        ([SOURCE], "sent to source"),
        ([SOURCE, RUNNING], "running in double"),
        ([SOURCE, LEFT], "left double"),
        ([SOURCE, ERRED], "error in double (2 attempts)"),
        ([SOURCE, ERRED_ONCE], "error in double"),
        ([SOURCE, Visit("out", "s3", 1000.5)], "in out"),
    ],
)
def test_the_line_says_where_the_input_is(visits, place):
    line = WaitLine(clock=lambda: 4.0)
    line._waits[0] = (0.0, ["s/a"])
    assert line.text([event("a", *visits)]) == f"waiting 4 s, 0 of 1 arrived; {place}"


def test_the_line_counts_the_inputs_of_a_batch():
    line = WaitLine(clock=lambda: 4.0)
    line._waits[0] = (0.0, [f"s/{n}" for n in range(6)])
    events = [
        event("0", SOURCE, LEFT, state="arrived", arrivals=ARRIVED),
        event("1", SOURCE, RUNNING),
        event("2", SOURCE, RUNNING),
        event("3", SOURCE, ERRED, state="failed"),
        event("4", SOURCE),
        event("other", SOURCE),
    ]
    said = "waiting 4 s, 1 of 6 arrived, 1 failed; 2 running in double, 1 sent to source"
    assert line.text(events) == said


@pytest.mark.parametrize(("number", "more"), [(3, ""), (4, ", and 1 more places")])
def test_the_line_names_three_places_at_most(number, more):
    line = WaitLine(clock=lambda: 4.0)
    line._waits[0] = (0.0, [f"s/{n}" for n in range(number)])
    places = [Visit(f"f{n}", "lambda", None, (Attempt(1000.1, None, "r"),)) for n in range(number)]
    said = line.text([event(str(n), place) for n, place in enumerate(places)])
    named = "1 running in f0, 1 running in f1, 1 running in f2"
    assert said == f"waiting 4 s, 0 of {number} arrived; {named}{more}"


def test_a_short_wait_shows_nothing_and_a_long_one_a_line_that_is_removed():
    shown, seen = [], threading.Event()

    def show(text):
        shown.append(text)
        seen.set()

    with WaitLine(tuple, show, after=3600).during(["s/a"]):
        pass
    assert shown == [""]
    shown.clear()
    seen.clear()
    with WaitLine(lambda: [event("a", SOURCE)], show, after=0.01, every=3600, clock=lambda: 0.0).during(
        ["s/a"]
    ):
        assert seen.wait(30)
    assert shown == ["waiting 0 s, 0 of 1 arrived; sent to source", ""]


def test_logs_that_cannot_be_read_disturb_no_wait():
    shown, seen = [], threading.Event()

    def show(text):
        shown.append(text)
        seen.set()

    def trace():
        raise RuntimeError

    with WaitLine(trace, show, after=0.01, every=3600, clock=lambda: 0.0).during(["s/a"]):
        assert seen.wait(30)
    assert shown[0] == "waiting 0 s, 0 of 1 arrived"


def test_without_a_terminal_no_thread_is_started():
    before = threading.active_count()
    with WaitLine().during(["s/a"]):
        assert threading.active_count() == before


def test_many_waits_share_one_thread_and_one_reading_of_the_logs():
    read, go_on = [], threading.Event()

    def trace():
        read.append(1)
        go_on.set()
        return ()

    shown = []
    line = WaitLine(trace, shown.append, after=0.01, every=3600, clock=lambda: 0.0)
    before = threading.active_count()
    ids = [[f"s/{number}"] for number in range(50)]
    with ExitStack() as waits:
        for one in ids:
            waits.enter_context(line.during(one))
        assert threading.active_count() <= before + 1
        assert go_on.wait(30)
        ended = next(thread for thread in threading.enumerate() if thread.name == "event-harness-wait")
    ended.join(30)
    assert len(read) == 1
    assert shown[-1] == ""
    go_on.clear()
    with line.during(["s/next"]):
        assert go_on.wait(30)


def test_readings_that_take_long_become_rare():
    """Those of 50,000 results take a second: they come every twenty seconds then."""
    now, pauses = [0.0], []

    class Over:
        def wait(self, pause):
            pauses.append(pause)
            return len(pauses) == 4

        def is_set(self):
            return False

    def trace():
        now[0] += 1.5 if len(pauses) == 2 else 0.01
        return ()

    WaitLine(trace, lambda _text: None, after=2, every=1, clock=lambda: now[0])._follow(Over())
    assert pauses == [2, 1, pytest.approx(30), 1]
