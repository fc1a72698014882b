"""Reads the definition of a state machine (Amazon States Language): which resources its tasks use."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Per service integration the parameter that names its resource.
_PARAMETER = {
    "lambda": "FunctionName",
    "sns": "TopicArn",
    "sqs": "QueueUrl",
    "dynamodb": "TableName",
    "states": "StateMachineArn",
    "sfn": "StateMachineArn",
    "s3": "Bucket",
    "kinesis": "StreamName",
    "firehose": "DeliveryStreamName",
    "ecs": "TaskDefinition",
    "batch": "JobDefinition",
    "glue": "JobName",
    "codebuild": "ProjectName",
    "apigateway": "ApiEndpoint",
    "http": "ApiEndpoint",
}
_BUS = ("events", "eventbridge")
_READING = ("get", "list", "query", "scan", "describe", "head", "batchget", "receive")


@dataclass(frozen=True)
class Task:
    """One use of a resource by a state.

    Attributes:
        name: The state's name.
        action: The call, such as `sns:publish`; empty for a function that the state names by its ARN.
        parameter: The parameter that names the resource; empty for an ARN.
        reference: ARN, URL or name of the resource; the service if the definition doesn't name one.
        reads: The state only reads there.
    """

    name: str
    action: str
    parameter: str
    reference: str
    reads: bool = False


def tasks(definition: str) -> list[Task]:
    """The tasks of a definition, those of nested states (Map, Parallel) among them, in its order.

    A resource that is known only while the machine runs (`FunctionName.$`, `{% … %}`) is left out.
    """
    calls = _calls(_decoded(definition))
    return list(dict.fromkeys(task for name, state in calls for task in _of_state(name, state)))


def leaves_open(definition: str) -> bool:
    """Whether a task uses a resource that is known only at run time; also if nothing can be read."""
    value = _decoded(definition)
    return not value or any(next(_of_state(name, state), None) is None for name, state in _calls(value))


def _decoded(definition: str) -> Any:
    try:
        return json.loads(definition) if definition else {}
    except (ValueError, RecursionError):
        return {}


def _calls(machine: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The states that use a resource, each with its name."""
    states = machine.get("States") if isinstance(machine, Mapping) else None
    for name, state in states.items() if isinstance(states, Mapping) else ():
        if not isinstance(state, Mapping):
            continue
        if state.get("Type") == "Task":
            yield str(name), state
        for branch in state.get("Branches") or []:
            yield from _calls(branch)
        for inner in ("Iterator", "ItemProcessor"):
            yield from _calls(state.get(inner))
        for inner in ("ItemReader", "ResultWriter"):
            if isinstance(state.get(inner), Mapping):
                yield str(name), state[inner]


def _of_state(name: str, state: Mapping[str, Any]) -> Iterator[Task]:
    resource = str(state.get("Resource") or "")
    service, _, action = _integration(resource)
    if not service:
        if resource.startswith("arn:"):
            yield Task(name, "", "", resource)
        return
    call = f"{'aws-sdk:' if ':aws-sdk:' in resource else ''}{service}:{action}"
    given = state.get("Parameters") or state.get("Arguments") or {}
    if not isinstance(given, Mapping):
        return
    if service in _BUS and action.lower().startswith("putevents"):
        entries = given.get("Entries")
        for entry in entries if isinstance(entries, list) else [{}]:
            bus = entry.get("EventBusName", "default") if isinstance(entry, Mapping) else "default"
            if _constant(bus) and not (isinstance(entry, Mapping) and "EventBusName.$" in entry):
                yield Task(name, call, "EventBusName", bus)
        return
    parameter = _PARAMETER.get(service, "")
    value = given.get(parameter) or next(
        (given[one] for one in ("TargetArn", "StreamARN", "StreamArn") if one in given), None
    )
    reads = action.lower().startswith(_READING)
    if _constant(value):
        yield Task(name, call, parameter, str(value), reads)
    elif not parameter:
        yield Task(name, call, "", call)


def _integration(resource: str) -> tuple[str, str, str]:
    """Service, pattern and action of an integration: `arn:aws:states:::aws-sdk:sqs:sendMessage.sync`."""
    parts = resource.split(":")
    if len(parts) < 7 or parts[2] != "states" or parts[3]:
        return "", "", ""
    names = [part for part in parts[5:] if part != "aws-sdk"]
    action, _, how = names[1].partition(".") if len(names) > 1 else ("", "", "")
    return names[0], how, action


def _constant(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not value.startswith(("{%", "$"))
