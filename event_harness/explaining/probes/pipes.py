"""Asks an EventBridge pipe about an input."""

import re

from event_harness.explaining.emulator_notes import warnings
from event_harness.explaining.probes.asking import Question, Seen
from event_harness.explaining.report import Finding
from event_harness.system.resources import Component

_STATES = {"RUNNING": "unknown", "STARTING": "unknown", "CREATING": "unknown", "UPDATING": "unknown"}


def pipe(question: Question, component: Component) -> Seen:
    """Ask a pipe. IAM: pipes:DescribePipe."""
    name = component.name
    answer = question.client("pipes").describe_pipe(Name=component.pipe)
    state = str(answer.get("CurrentState") or "")
    between = f"from {_place(answer.get('Source'))} to {_place(answer.get('Target'))}"
    if state not in _STATES:
        why = f": {answer['StateReason']}" if answer.get("StateReason") else ""
        text = f"{state}{why}, {between}"
        return Seen(Finding(name, "failed", text, cause=f"{name}: the pipe is {state}{why}", certain=True))
    if held := _held(question, str(component.pipe)):
        text = f"{state}, {between}, but the local AWS emulator does not deliver: {held}"
        cause = f"{name}: the local AWS emulator does not deliver: {held}"
        return Seen(Finding(name, "failed", text, cause=cause, certain=True))
    return Seen(Finding(name, "unknown", f"{state}, {between}; a pipe doesn't tell what has passed"))


def _held(question: Question, pipe: str) -> str | None:
    """What the emulator's own log says of records that it holds back, if it has said so since the send."""
    log = question.platform_log() if question.platform_log else ""
    lines = [line for line in warnings(log, question.since, [pipe]) if f"Pipes {pipe}:" in line]
    return re.sub(rf"^Pipes {re.escape(pipe)}: ", "", lines[-1]) if lines else None


def _place(arn: object) -> str:
    """The resource of an ARN; the table of a stream."""
    resource = str(arn or "").split(":", 5)[-1]
    return resource.partition("/stream/")[0]
