"""Asks the log group of an express workflow about an execution: the service keeps no list of them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.explaining.probes.asking import Question
from event_harness.explaining.report import Finding
from event_harness.system.correlation import without_slash
from event_harness.system.resources import Component

_UNLISTED = "not known: an express workflow keeps no list of its executions"
_ENDS = {
    "ExecutionFailed": "failed",
    "ExecutionTimedOut": "timed out",
    "ExecutionAborted": "was stopped",
}


def of_log(question: Question, component: Component) -> Finding:
    """What the log group tells of the execution of this input. IAM: logs:FilterLogEvents.

    An execution is found by the correlation id in its input or in its name. The log holds inputs only with
    the level ALL and `include_execution_data`.
    """
    name = component.name
    if not component.log_group:
        return Finding(name, "unknown", f"{_UNLISTED}, and no log group is known")
    try:
        arn = _execution(question, component)
        events = _events(question, component, arn) if arn else []
    except AWS_ERRORS as error:
        why = message_of(error).partition(":")[0]
        return Finding(name, "unknown", f"{_UNLISTED}, and its log group could not be read ({why})")
    if not arn:
        text = f"{_UNLISTED}, and no line of its log group names this input"
        return Finding(name, "unknown", text)
    return _told(name, events)


def _execution(question: Question, component: Component) -> str | None:
    """ARN of the newest execution whose lines name the input."""
    id_ = question.sent.correlation_id
    for event in reversed(_events(question, component, without_slash(id_))):
        if without_slash(id_) in str(event.get("execution_arn")).split(":"):
            return str(event["execution_arn"])
    for event in reversed(_events(question, component, id_)):
        if event.get("execution_arn") and question.ids.mentions(json.dumps(event), id_):
            return str(event["execution_arn"])
    return None


def _events(question: Question, component: Component, text: str) -> list[Mapping[str, Any]]:
    """The events of the workflow whose lines hold a text, in order."""
    answer = question.client("logs").filter_log_events(
        logGroupName=component.log_group,
        startTime=int(question.since * 1000),
        filterPattern=json.dumps(text),
    )
    return list(_decoded(str(one["message"]) for one in answer.get("events", [])))


def _decoded(lines: Iterable[str]) -> Iterable[Mapping[str, Any]]:
    for line in lines:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event


def _told(name: str, events: list[Mapping[str, Any]]) -> Finding:
    states = [
        str(details["name"])
        for event in events
        if str(event.get("type")).endswith("StateEntered")
        and isinstance(details := event.get("details"), dict)
        and details.get("name")
    ]
    where = f" in state {states[-1]}" if states else ""
    for event in reversed(events):
        kind = str(event.get("type"))
        if kind == "ExecutionSucceeded":
            return Finding(name, "ok", "its execution succeeded, as its log group tells", here=True)
        if ended := _ENDS.get(kind):
            details = event.get("details")
            said = details if isinstance(details, dict) else {}
            why = ": ".join(str(said[part]) for part in ("error", "cause") if said.get(part))
            text = f"its execution {ended}{where}" + (f": {' '.join(why.split())}" if why else "")
            return Finding(name, "failed", text, cause=f"{name}: {text}", certain=True, here=True, ended=True)
    return Finding(
        name, "unknown", f"its execution began{where}; its log group tells no end of it", here=True
    )
