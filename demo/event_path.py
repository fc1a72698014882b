"""Collects the moments of an event's path, from the log lines of its functions and from its result."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from event_harness.machine import interrupts
from event_harness.machine.clock import monotonic
from event_harness.results.result import Result
from event_harness.results.sent import Sent
from event_harness.system.deployed_system import DeployedSystem

PATIENCE = 10.0
"""Seconds to wait for log lines. A function's lines come at the end of its invocation, its result before."""
_LOOK = 0.1


@dataclass(frozen=True)
class Moment:
    """One moment on the path: `at` in epoch seconds, what happened, and where."""

    at: float
    what: str
    where: str


def path_of(system: DeployedSystem, sent: Sent, result: Result, received_at: float) -> list[Moment]:
    """The moments of one event's path, in order of time.

    Each function on it has logged something of the event. If the lines of one don't come, they are missing.

    Args:
        system: The deployed system.
        sent: The input.
        result: Its result.
        received_at: Time when the wait for it returned, epoch seconds.
    """
    resources = system.resources
    functions = [(s.name, s.log_group) for s in resources.components if s.type == "lambda" and s.log_group]
    functions.append(("event_listener", resources.listener.log_group))
    path = [
        Moment(sent.sent_at, "sent", sent.description),
        Moment(result.received_at.timestamp(), "stored", f"table {resources.results.table}"),
        Moment(received_at, "received", "wait_for returned"),
    ]
    deadline = monotonic() + PATIENCE
    for name, log_group in functions:
        while not (logged := list(_logged(system, name, log_group, sent.correlation_id))):
            if monotonic() >= deadline:
                break
            interrupts.pause(_LOOK)
        path += logged
    return sorted(path, key=lambda moment: moment.at)


def _logged(system: DeployedSystem, name: str, log_group: str, correlation_id: str) -> Iterator[Moment]:
    """The function's log lines of this event: JSON objects with its correlation id."""
    pages = system.target.client("logs").get_paginator("filter_log_events")
    # The case's own part of the id: a plain term, which any filter understands.
    term = correlation_id.split("/")[1]
    for page in pages.paginate(logGroupName=log_group, filterPattern=f'"{term}"'):
        for event in page["events"]:
            try:
                line = json.loads(event["message"])
            except ValueError:
                continue  # the platform's own lines
            if line.get("correlation_id") == correlation_id:
                yield Moment(_time(line["timestamp"]), str(line["message"]), name)


def _time(text: str) -> float:
    """The time that Powertools writes into a line: 2026-11-22 10:46:04,123+0000."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S,%f%z").timestamp()
