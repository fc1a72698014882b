from listener_fakes import Clock, Queues, envelope, s3_event

from event_harness.results.failure_watch import FailureWatch
from event_harness.results.failures import FailureReader


def watch_of(queues, clock, spawned, silence=2.0, urls=("queue/p",)):
    failures = FailureReader(dict.fromkeys(urls, "processor"), queues)
    noticed = []
    return (
        FailureWatch(
            failures, silence=lambda: silence, noticed=noticed.append, clock=clock, spawn=spawned.append
        ),
        noticed,
    )


def test_a_look_is_taken_once_results_are_overdue():
    spawned, clock = [], Clock()
    watch_of(Queues(), clock, spawned, silence=0.9)[0].nudge()
    assert spawned == []
    watch_of(Queues(), clock, spawned, silence=1.0)[0].nudge()
    assert len(spawned) == 1


def test_only_one_look_is_on_its_way_however_long_it_takes():
    spawned, clock, queues = [], Clock(), Queues()
    watch, _ = watch_of(queues, clock, spawned)

    def slow(**_more):
        for _ in range(10):
            clock.sleep(10)
            watch.nudge()
        return {}

    queues.receive_message = slow
    watch.nudge()
    spawned[0]()
    assert len(spawned) == 1
    watch.nudge()
    assert len(spawned) == 1
    clock.sleep(1.6)
    watch.nudge()
    assert len(spawned) == 2


def test_of_two_looks_that_begin_at_once_one_is_taken():
    spawned, queues = [], Queues()
    watch, noticed = watch_of(queues, Clock(), spawned)
    watch.nudge()
    watch.nudge()
    original = queues.receive_message

    def receive_message(**more):
        queues.receive_message = original
        spawned[1]()  # begins while the first one is on its way
        return original(**more)

    queues.receive_message = receive_message
    spawned[0]()
    assert len(spawned) == 2
    assert noticed == [[]]


def test_the_next_look_follows_one_and_a_half_seconds_after_the_last():
    spawned, clock = [], Clock()
    watch, noticed = watch_of(Queues(), clock, spawned)
    watch.nudge()
    spawned[0]()
    clock.sleep(1.4)
    watch.nudge()
    assert len(spawned) == 1
    clock.sleep(0.2)
    watch.nudge()
    assert len(spawned) == 2
    assert noticed == [[]]


def test_what_is_new_is_told():
    spawned, queues = [], Queues()
    watch, noticed = watch_of(queues, Clock(), spawned)
    queues.put("queue/p", envelope(s3_event("run/a")))
    watch.start()
    spawned[0]()
    assert [failure.component for failure in noticed[0]] == ["processor"]


def test_a_look_that_breaks_is_followed_by_another():
    spawned, clock, queues = [], Clock(), Queues()
    watch, noticed = watch_of(queues, clock, spawned)
    queues.error = RuntimeError("a bug")
    watch.nudge()
    try:
        spawned[0]()
    except RuntimeError:
        noticed.append("raised")
    clock.sleep(2)
    watch.nudge()
    assert len(spawned) == 2
    assert noticed == [[], "raised"]


def test_without_queues_nothing_is_looked_into():
    spawned = []
    watch_of(Queues(), Clock(), spawned, urls=())[0].nudge()
    assert spawned == []
