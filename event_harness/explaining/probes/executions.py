"""Asks a state machine about the execution of an input."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from event_harness.aws.errors import code_of
from event_harness.explaining.probes.asking import Question, Seen
from event_harness.explaining.probes.express_workflows import of_log
from event_harness.explaining.report import Finding
from event_harness.system.correlation import without_slash
from event_harness.system.resources import Component

_MOST = 20  # executions whose input is read
_EVENTS = 200  # of an execution's history


def state_machine(question: Question, component: Component) -> Seen:
    """Ask a state machine.

    IAM: states:ListExecutions, states:DescribeExecution, states:GetExecutionHistory; logs:FilterLogEvents for
    an express workflow.
    """
    name, answer = component.name, question.sent.response
    if question.is_entry(component) and answer:  # of an express workflow that the producer has awaited
        if answer.error:
            return Seen(_failed(name, f"its execution failed: {answer.error}"))
        return Seen(Finding(name, "ok", "its execution succeeded", here=True))
    sfn = question.client("stepfunctions")
    try:
        execution = _execution(question, component, sfn)
    except ClientError as error:
        if code_of(error) != "StateMachineTypeNotSupported":
            raise
        return Seen(of_log(question, component))
    if execution is None:
        return Seen(Finding(name, "not reached", "no execution of this input since the send"))
    return Seen(_told(name, execution, _History(sfn, str(execution["executionArn"]))))


def _execution(question: Question, component: Component, sfn: Any) -> Mapping[str, Any] | None:
    """The newest execution of this input."""
    given = question.sent.service_id
    if question.is_entry(component) and given and ":execution:" in given:
        found: Mapping[str, Any] = sfn.describe_execution(executionArn=given)
        return found
    listed = sfn.list_executions(stateMachineArn=component.identifier, maxResults=100)["executions"]
    since = datetime.fromtimestamp(question.since, UTC).replace(microsecond=0)
    recent = [one for one in listed if one["startDate"] >= since]
    id_ = question.sent.correlation_id
    named = [one for one in recent if without_slash(id_) in one["name"]]
    for one in named or recent[:_MOST]:
        found = sfn.describe_execution(executionArn=one["executionArn"])
        if named or question.ids.mentions(str(found.get("input") or ""), id_):
            return found
    return None


class _History:
    """The newest events of an execution; read when they are needed."""

    def __init__(self, sfn: Any, arn: str) -> None:
        self._sfn = sfn
        self._arn = arn

    def state(self) -> str:
        """In which state it is, or has ended."""
        answer = self._sfn.get_execution_history(
            executionArn=self._arn, reverseOrder=True, maxResults=_EVENTS, includeExecutionData=False
        )
        entered = _on_the_way(answer.get("events", []))
        return f" in state {entered}" if entered else ""


def _on_the_way(events: Iterable[Mapping[str, Any]]) -> str | None:
    """The state that the newest event belongs to. Events of parallel branches lie between its own."""
    listed = list(events)
    by_id = {event.get("id"): event for event in listed}
    event: Mapping[str, Any] | None = listed[0] if listed else None
    seen: set[object] = set()
    while event and event.get("id") not in seen:
        seen.add(event.get("id"))
        if name := _entered(event):
            return name
        event = by_id.get(event.get("previousEventId"))
    return next((name for event in listed if (name := _entered(event))), None)


def _entered(event: Mapping[str, Any]) -> str | None:
    name = event.get("stateEnteredEventDetails", {}).get("name")
    return str(name) if name else None


def _told(name: str, execution: Mapping[str, Any], history: _History) -> Finding:
    status, began, ended = execution["status"], execution["startDate"], execution.get("stopDate")
    took = f"{(ended - began).total_seconds():.1f} s" if ended else ""
    why = _why(execution)
    match status:
        case "SUCCEEDED":
            return Finding(name, "ok", f"its execution succeeded after {took}", here=True)
        case "RUNNING" | "PENDING_REDRIVE":
            text = f"still running{history.state()}, since {began.astimezone(UTC):%H:%M:%S}"
            return Finding(name, "running", text, cause=f"{name} is {text}", certain=True, here=True)
        case "TIMED_OUT":
            return _failed(name, f"its execution timed out after {took}{history.state()}{why}")
        case "ABORTED":
            return _failed(name, f"its execution was stopped{history.state()}{why}")
        case _:
            return _failed(name, f"its execution failed{history.state()}{why}")


def _failed(name: str, text: str) -> Finding:
    return Finding(name, "failed", text, cause=f"{name}: {text}", certain=True, here=True, ended=True)


def _why(execution: Mapping[str, Any]) -> str:
    """Error and cause. The cause of a failed function is JSON that holds its exception."""
    error, cause = str(execution.get("error") or ""), str(execution.get("cause") or "")
    try:
        said = json.loads(cause)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and said.get("errorMessage"):
        error, cause = str(said.get("errorType") or error), str(said["errorMessage"])
    told = " ".join(": ".join(part for part in (error, cause) if part).split())
    return f": {told}" if told else ""
