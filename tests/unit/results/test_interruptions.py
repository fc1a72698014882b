"""An exception that strikes a waiting thread at any instruction leaves a reader and a watch that work.

Ctrl-C and pytest-timeout raise wherever the thread is: between taking a lock and the `try` behind it, too.
"""

import _thread
import ctypes
import gc
import sys
import threading
import time

import pytest
from listener_fakes import RESULTS, Queues, Table, World, envelope, s3_event

from event_harness.producers.inflight import InFlight
from event_harness.results.background import in_thread
from event_harness.results.failure_watch import FailureWatch
from event_harness.results.failures import FailureReader
from event_harness.results.reader import Reader
from event_harness.results.results_table import ResultsTable


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    for module in ("reader", "look_interval"):
        monkeypatch.setattr(f"event_harness.results.{module}.SHORTEST", 0.001)
    monkeypatch.setattr("event_harness.results.look_interval.UNKNOWN", ((float("inf"), 0.001),))
    monkeypatch.setattr("event_harness.results.reader.NAP", 0.01)
    monkeypatch.setattr("event_harness.results.background.OVERSLEPT", 0.01)


@pytest.fixture
def never_given_up(monkeypatch):
    """A look that is stuck is not given up, so a reader that is stuck finds nothing before its deadline."""
    monkeypatch.setattr("event_harness.results.reader.STALLED", 3600)


class Strike(BaseException):
    """Stands for KeyboardInterrupt: no code expects it."""


# Code that isn't ours: a lock there would stay taken, and what a destructor raises is lost.
FOREIGN = ("ulid/__init__.py", "weakref.py", "_weakrefset.py", "test_interruptions.py")


class Interrupter:
    """Raises at the n-th instruction of the calling thread, in any Python code."""

    def __init__(self, n):
        self.left = n

    def __enter__(self):
        sys.settrace(self.trace)

    def __exit__(self, *_error):
        sys.settrace(None)

    def trace(self, frame, event, _argument):
        if frame.f_code.co_name == "record" or frame.f_code.co_filename.endswith(FOREIGN):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_code is not Interrupter.__exit__.__code__:
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                raise Strike
        return self.trace


def world(spawn=in_thread):
    table = Table(time.time)
    reader = Reader(ResultsTable(RESULTS, table, None), "run", spawn=spawn)
    return table, reader


def wait(reader, correlation_id, seconds=60.0):
    return reader.wait(lambda: reader.of(correlation_id) or None, time.monotonic() + seconds)


def struck(action, n):
    """Do something that is struck at its n-th instruction, in a thread of its own; whether it was."""
    interrupter, outcome = Interrupter(n), []

    def acts():
        try:
            with interrupter:
                action()
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=acts)
    gc.disable()  # what a callback of the collector raises is lost
    thread.start()
    thread.join()
    gc.enable()
    for error in outcome:
        if not isinstance(error, Strike):
            raise error
    return interrupter.left <= 0


@pytest.mark.usefixtures("never_given_up")
def test_a_wait_that_is_struck_at_any_instruction_leaves_a_reader_that_works():
    """Each instruction of a wait of two looks: the first sees nothing, the second the result."""
    n = strikes = 0
    while True:
        n += 1
        table, reader = world()
        original = table.query

        def query(table=table, original=original, **more):
            answer = original(**more)
            table.record("run/a", event_id="a")
            return answer

        table.query = query
        hit = struck(lambda reader=reader: wait(reader, "run/a"), n)
        began = time.monotonic()
        table.record("run/b", event_id="b")
        reader.notice()
        assert wait(reader, "run/b"), f"the reader is dead after instruction {n}"
        assert time.monotonic() - began < 30, f"the reader is stuck after instruction {n}"
        if not hit:
            break
        strikes += 1
    assert strikes > 100


@pytest.mark.usefixtures("never_given_up")
def test_when_the_wait_that_leads_is_struck_at_any_instruction_another_takes_over():
    """Nothing else wakes the other one: no send, no new wait. At every seventh instruction."""
    n, hit, followed = 0, True, 0
    while hit:
        n += 7
        looks = []

        def spawn(work, looks=looks):
            _thread.start_new_thread(work, ())
            looks.append(work)

        table, reader = world(spawn)
        original, follows, found, others = table.query, threading.Event(), [], []

        def follow(reader=reader, follows=follows, found=found):
            def judge():
                follows.set()
                return reader.of("run/b") or None

            found.append(reader.wait(judge, time.monotonic() + 60, ["run/b"]))

        def query(original=original, follow=follow, follows=follows, others=others, **more):
            if not others:  # the other one comes while the first look of the one that leads is on its way
                others.append(threading.Thread(target=follow))
                others[0].start()
                follows.wait(60)
            return original(**more)

        table.query = query
        hit = struck(
            lambda reader=reader: reader.wait(lambda: reader.looks > 2 or None, time.monotonic() + 60), n
        )
        if not looks:  # it was struck before its first look, so the other one never came
            continue
        assert follows.wait(60)
        followed += 1
        began = time.monotonic()
        table.record("run/b", event_id="b")
        others[0].join(60)
        assert found, f"nobody leads after instruction {n}"
        assert found[0], f"nobody leads after instruction {n}"
        assert time.monotonic() - began < 30, f"nobody leads for long after instruction {n}"
    assert followed > 20


@pytest.mark.usefixtures("never_given_up")
def test_a_test_that_is_struck_while_it_sends_and_waits_leaves_a_listener_that_works():
    """At every seventh instruction, since there are thousands."""
    n, hit = 0, True
    while hit:
        n += 7
        world = World(clock=time.monotonic, sleep=None, spawn=in_thread, in_flight=InFlight(9), sla=60)
        original = world.buckets.put_object

        def put_object(world=world, original=original, **more):
            world.table.record(more["Key"])
            return original(**more)

        world.buckets.put_object = put_object
        hit = struck(lambda world=world: world.listener.wait_for(world.send()), n)
        began = time.monotonic()
        assert world.listener.wait_for(world.send()).text == "HELLO"
        assert time.monotonic() - began < 30, f"stuck after instruction {n}"
    assert n > 1000


def test_a_send_that_is_struck_at_any_instruction_leaves_a_reader_that_works():
    n = 0
    while True:
        n += 1
        table, reader = world()
        hit = struck(lambda reader=reader: (reader.notice(), reader.wake()), n)
        table.record("run/b")
        assert wait(reader, "run/b")
        if not hit:
            break
    assert n > 20


def test_a_watch_that_is_struck_at_any_instruction_goes_on_looking():
    n = 0
    while True:
        n += 1
        queues = Queues()
        queues.put("queue/p", envelope(s3_event("run/a")))
        failures = FailureReader({"queue/p": "processor"}, queues)
        watch = FailureWatch(failures, silence=lambda: 2.0, noticed=lambda _news: None, clock=time.monotonic)
        hit = struck(watch.nudge, n)
        deadline = time.monotonic() + 60
        while not failures.of("run/a"):
            watch.nudge()
            assert time.monotonic() < deadline, f"the watch is dead after instruction {n}"
            time.sleep(0.001)
        if not hit:
            break
    assert n > 20


# CPython may strike a thread that is just being started in place of its parent. It loses that look, no more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("seed", range(5))
def test_a_reader_outlives_strikes_at_random_moments(seed):
    """As signals strike: asynchronously, also within the interpreter's own locks and sleeps.

    A strike may also hit the handler of the one before. It ends the thread then, and the next one takes over.
    """
    table, reader = world()
    ended = threading.Event()
    strikes = []
    threads = _thread._count()

    def waits():
        while not ended.is_set():
            try:
                wait(reader, "run/never", 0.05)
            except Strike:
                strikes.append(1)

    def started():
        thread = threading.Thread(target=waits, daemon=True)
        thread.start()
        return thread

    thread = started()
    until, latest = time.monotonic() + 0.5, time.monotonic() + 60
    pause = 0.0003 * (seed + 1)
    while time.monotonic() < until or (not strikes and time.monotonic() < latest):
        time.sleep(pause)
        thread = thread if thread.is_alive() else started()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Strike))
    table.record("run/b")
    assert wait(reader, "run/b")
    ended.set()
    # A strike that is still to come would end a thread later, and be told of in another test.
    until = time.monotonic() + 30
    while _thread._count() > threads and time.monotonic() < until:
        time.sleep(0.01)
    assert _thread._count() <= threads
    assert strikes
