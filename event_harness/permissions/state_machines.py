"""What the role of a state machine needs for its tasks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from event_harness.permissions.blocks import text
from event_harness.permissions.need import Need
from event_harness.permissions.targets import names_of

_ITEMS = ("getItem", "putItem", "updateItem", "deleteItem")


def needs(address: str, role: str, machine: str, definition: str) -> Iterator[Need]:
    """What the tasks of a definition need.

    Args:
        address: the state machine's resource in the configuration.
        role: the ARN of its role.
        machine: its own ARN, which tells account and region.
        definition: Amazon States Language.
    """
    try:
        parsed = json.loads(definition)
    except ValueError:
        return
    if not role.startswith("arn:") or machine.count(":") < 5:
        return
    seen = set()
    for task in _tasks(parsed):
        found = _task(task, *machine.split(":")[3:5])
        if found and found not in seen:
            seen.add(found)
            action, names = found
            yield Need(address, action, names[0] if names else "", role=role, also=names[1:])


def _tasks(definition: Any) -> Iterator[Mapping[str, Any]]:
    """All tasks, also those of branches and of maps."""
    if isinstance(definition, Mapping):
        if definition.get("Type") == "Task":
            yield definition
        for value in definition.values():
            yield from _tasks(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from _tasks(value)


def _task(task: Mapping[str, Any], region: str, account: str) -> tuple[str, tuple[str, ...]] | None:
    """The action of a task and the names of its resource, which are empty if it is chosen at run time."""
    resource = text(task, "Resource")
    if resource.startswith("arn:aws:lambda:"):
        return "lambda:InvokeFunction", names_of(resource)
    parts = resource.removeprefix("arn:aws:states:::").removeprefix("aws-sdk:").split(":")
    service, operation = parts[0], parts[1].partition(".")[0] if len(parts) > 1 else ""
    given = task.get("Parameters") or task.get("Arguments") or {}
    given = given if isinstance(given, Mapping) else {}

    def arn(kind: str, name: str) -> tuple[str, ...]:
        """The ARN of a name; nothing if only the run tells the name."""
        if not name or "{%" in name:
            return ()
        return (name,) if name.startswith("arn:") else (f"arn:aws:{kind}:{region}:{account}:{name}",)

    def prefixed(prefix: str, name: str) -> str:
        """A name with its prefix, unless it is an ARN or an expression."""
        return name if not name or name.startswith(("arn:", "{%")) else prefix + name

    match service, operation:
        case "lambda", "invoke":
            name = prefixed("function:", text(given, "FunctionName"))
            return "lambda:InvokeFunction", _flat(names_of(one) for one in arn("lambda", name))
        case "sqs", "sendMessage":
            return "sqs:SendMessage", arn("sqs", _queue(text(given, "QueueUrl")))
        case "sns", "publish":
            return "sns:Publish", arn("sns", text(given, "TopicArn"))
        case "dynamodb", name if name in _ITEMS:
            table = prefixed("table/", text(given, "TableName"))
            return f"dynamodb:{name[0].upper()}{name[1:]}", arn("dynamodb", table)
        case "events" | "eventbridge", "putEvents":
            return "events:PutEvents", ()
        case "states" | "sfn", "startExecution":
            return "states:StartExecution", arn("states", text(given, "StateMachineArn"))
        case "s3", "getObject" | "putObject" | "deleteObject":
            return f"s3:{operation[0].upper()}{operation[1:]}", ()
    return None


def _queue(url: str) -> str:
    return url if "{%" in url else url.rpartition("/")[2]


def _flat(many: Iterator[Sequence[str]]) -> tuple[str, ...]:
    return tuple(one for few in many for one in few)
