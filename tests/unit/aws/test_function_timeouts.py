"""A function's timeout counts only the time in which no debugger is attached or awaited."""

import threading
import time
from types import SimpleNamespace

import pytest
from ministack.core import lambda_runtime

from event_harness.aws.front import function_workers
from event_harness.aws.front.function_workers import inspected
from event_harness.aws.instruments import VARIABLE


class FakeProcess:
    """A function's process that runs until it is ended."""

    def __init__(self):
        self.ended = threading.Event()

    def poll(self):
        return 0 if self.ended.is_set() else None

    def terminate(self):
        self.ended.set()

    def wait(self, timeout):
        self.ended.wait(timeout)


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.setattr(lambda_runtime, "ensure_spawned", lambda _worker: None)
    config = {"Timeout": 1, "Environment": {"Variables": {"A": "b"}}}
    return SimpleNamespace(func_name="orders", config=config, _proc=FakeProcess(), _event_harness="task")


def wishes(suspended, task="task"):
    one = SimpleNamespace(debug={"orders": 1}, suspended=suspended, of=lambda _name: task)
    return SimpleNamespace(now=lambda: one)


def until_ended(worker):
    worker._proc.ended.wait(30)
    return {"status": "error", "error": "Worker process died"}


def test_function_times_out_with_lambdas_own_words_once_nobody_debugs_it(worker):
    attached = iter([True] * 5)
    invoke = inspected(until_ended, wishes(lambda: next(attached, False)))
    assert invoke(worker)["error"] == "Task timed out after 1.00 seconds"
    assert worker.config["Timeout"] == 1


def test_function_does_not_time_out_while_somebody_debugs_it(worker, monkeypatch):
    monkeypatch.setattr(function_workers, "_LOOK", 0.001)
    worker.config["Timeout"] = 0.01
    given = []

    def handle(worker):
        given.append(worker.config["Timeout"])
        time.sleep(0.05)
        return {"status": "ok", "result": 1}

    assert inspected(handle, wishes(lambda: True))(worker) == {"status": "ok", "result": 1}
    assert given == [function_workers._FOREVER]


def test_process_that_was_started_for_another_task_is_ended_first(worker, monkeypatch):
    ended = []
    monkeypatch.setattr(lambda_runtime, "kill_workers", ended.extend)
    inspected(lambda _worker: {}, wishes(lambda: False, task="another"))(worker)
    assert ended == [worker]


@pytest.mark.parametrize(
    ("own", "started_with"),
    [({"Variables": {"A": "b"}}, {"A": "b", VARIABLE: "task"}), (None, {VARIABLE: "task"})],
)
def test_process_is_started_with_its_task_beside_the_functions_own_variables(
    worker, monkeypatch, own, started_with
):
    worker.config = {"Timeout": 1, "Environment": own}
    started = []
    monkeypatch.setattr(
        lambda_runtime, "ensure_spawned", lambda one: started.append(one.config["Environment"]["Variables"])
    )
    inspected(lambda _worker: {"status": "ok"}, wishes(lambda: False))(worker)
    assert started[0] == started_with
    assert worker.config == {"Timeout": 1, "Environment": own}


def test_without_a_session_the_invocation_is_ministacks_own(worker):
    worker._event_harness = ""
    config = worker.config
    seen = []
    inspected(lambda one: seen.append(one.config) or {}, SimpleNamespace(now=lambda: None))(worker)
    assert seen == [config]
