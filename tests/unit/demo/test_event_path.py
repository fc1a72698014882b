"""The path of an event: the lines of a function come a moment after its result."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from demo import event_path
from event_harness.results.sent import Sent

SENT = Sent("s1/01M8C9/input.txt", "source", 1000.0, "an input", 7)
RESULT = SimpleNamespace(received_at=datetime.fromtimestamp(1002, UTC))


class Logs:
    """Logs in which the lines of a group stand after some looks."""

    def __init__(self, looks):
        self.looks = looks

    def get_paginator(self, _operation):
        return self

    def paginate(self, *, logGroupName, filterPattern):  # noqa: N803 (AWS's names)
        assert filterPattern == '"01M8C9"'
        self.looks[logGroupName] -= 1
        line = {
            "timestamp": "1970-01-01 00:16:41,500+0000",
            "message": "done",
            "correlation_id": SENT.correlation_id,
        }
        events = [{"message": "END RequestId: x"}]
        if self.looks[logGroupName] < 0:
            events.append({"message": json.dumps(line)})
        return [{"events": events}]


def path(looks):
    logs = Logs(looks)
    resources = SimpleNamespace(
        components=[SimpleNamespace(name="processor", type="lambda", log_group="/processor")],
        listener=SimpleNamespace(log_group="/listener"),
        results=SimpleNamespace(table="results"),
    )
    system = SimpleNamespace(resources=resources, target=SimpleNamespace(client=lambda _name: logs))
    return [(one.at, one.what, one.where) for one in event_path.path_of(system, SENT, RESULT, 1002.5)]


def test_lines_that_come_after_the_result_are_awaited():
    assert path({"/processor": 0, "/listener": 2}) == [
        (1000.0, "sent", "an input"),
        (1001.5, "done", "processor"),
        (1001.5, "done", "event_listener"),
        (1002.0, "stored", "table results"),
        (1002.5, "received", "wait_for returned"),
    ]


def test_lines_that_never_come_are_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_path, "PATIENCE", 0.0)
    assert [what for _, what, _ in path({"/processor": 0, "/listener": 99})] == [
        "sent",
        "done",
        "stored",
        "received",
    ]
