"""Finds what a function may write to: no mapping says it, but its role's policies and its environment do."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from event_harness.system.graph.building import DEFAULT_BUS, Building
from event_harness.system.graph.definition import leaves_open
from event_harness.system.graph.model import LISTENER, Known, Node
from event_harness.system.graph.policies import Roles, Statement, allows, is_generic
from event_harness.system.graph.references import arn_parts
from event_harness.system.graph.state import Resource

# Per resource type the actions that put an event into it.
_WRITING: Mapping[str, tuple[str, ...]] = {
    "aws_sqs_queue": ("sqs:SendMessage",),
    "aws_sns_topic": ("sns:Publish",),
    "aws_s3_bucket": ("s3:PutObject",),
    "aws_dynamodb_table": (
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:PartiQLInsert",
    ),
    "aws_cloudwatch_event_bus": ("events:PutEvents",),
    "aws_sfn_state_machine": ("states:StartExecution", "states:StartSyncExecution"),
    "aws_lambda_function": ("lambda:InvokeFunction", "lambda:InvokeAsync"),
    "aws_kinesis_stream": ("kinesis:PutRecord", "kinesis:PutRecords"),
    "aws_kinesis_firehose_delivery_stream": ("firehose:PutRecord", "firehose:PutRecordBatch"),
}
_ACTIONS = tuple(action for actions in _WRITING.values() for action in actions)
# Of those that a function polls without an event source mapping.
_POLLING = {
    "aws_sqs_queue": "sqs:ReceiveMessage",
    "aws_kinesis_stream": "kinesis:GetRecords",
}
# What a function must be allowed at the resource that feeds it. A statement that lets it both read and write
# at several resources doesn't say which of them it writes to.
_READING = {
    "aws_sqs_queue": "sqs:ReceiveMessage",
    "aws_s3_bucket": "s3:GetObject",
    "aws_dynamodb_table": "dynamodb:GetRecords",
    "aws_kinesis_stream": "kinesis:GetRecords",
}
_ALL = re.compile(r"^(\*|\w+:\*)$")  # all actions, or all of a service
_SHORTEST = 3  # characters of a name in an environment that is no accident
# Words in the name of a variable that tell which type of resource its value names.
_HINTS = {
    "aws_sqs_queue": ("QUEUE", "SQS"),
    "aws_sns_topic": ("TOPIC", "SNS"),
    "aws_s3_bucket": ("BUCKET", "S3"),
    "aws_dynamodb_table": ("TABLE", "DYNAMO", "DDB"),
    "aws_cloudwatch_event_bus": ("BUS", "EVENT"),
    "aws_sfn_state_machine": ("STATE", "MACHINE", "SFN", "STEP"),
    "aws_lambda_function": ("FUNCTION", "LAMBDA"),
    "aws_kinesis_stream": ("STREAM", "KINESIS"),
    "aws_kinesis_firehose_delivery_stream": ("STREAM", "FIREHOSE"),
}


def read(building: Building) -> None:
    """Add the edges out of functions and of ECS tasks that their roles and their environments tell."""
    roles = Roles(building.resources)
    writers = list(_functions(building))
    for source, resource, named in writers:
        role = resource.values.get("role")
        # Of a role that several functions share, the environments tell which one of them writes where.
        others = [told for other, one, told in writers if other != source and one.values.get("role") == role]
        elsewhere = {address for told in others for address in told} - set(named)
        alike = [other for other, one, _ in writers if one.values.get("role") == role]
        _writes(building, roles, source, resource, role, named, elsewhere, alike)
    for resource in list(building.of_type("aws_ecs_task_definition")):
        if resource.managed and resource.values.get("task_role_arn"):
            _ecs(building, roles, resource)
    for resource in list(building.of_type("aws_sfn_state_machine")):
        machine = building.at_resource(resource)
        told = any(edge.source == machine for edge in building.edges)
        if machine and not told and leaves_open(resource.text("definition")):
            _writes(building, roles, machine, resource, resource.values.get("role_arn"), {})


def _functions(building: Building) -> Iterator[tuple[str, Resource, dict[str, str]]]:
    """Each function: its address, its resource, and the nodes that its environment names."""
    for resource in list(building.of_type("aws_lambda_function")):
        source = building.at_resource(resource) if resource.managed else None
        if source and source != LISTENER:
            variables = [one.get("variables") or {} for one in resource.blocks("environment")]
            environment = {name: value for one in variables for name, value in one.items()}
            yield source, resource, _named(building, environment)


def _ecs(building: Building, roles: Roles, resource: Resource) -> None:
    role = resource.values.get("task_role_arn")
    given, _ = roles.of(role)
    candidates = list(_candidates(building))
    polled = [one for one in candidates if _polls(given, one)]
    written = [one for one in candidates if _pattern(given, one)]
    if not (polled or written):
        return
    own = building.at_resource(resource)
    for other, node in polled:
        building.connect(node.address, own, "may receive", other, known="allowed")
    if own:
        _writes(building, roles, own, resource, role, {})


def _writes(
    building: Building,
    roles: Roles,
    source: str,
    by: Resource,
    role: object,
    named: Mapping[str, str],
    elsewhere: Collection[str] = (),
    alike: Collection[str] = (),
) -> None:
    """Add the edges out of one writer.

    Args:
        building: The graph.
        roles: All roles.
        source: Address of the writer.
        by: Its resource.
        role: Its role.
        named: Addresses that its environment names, each with the name of the variable.
        elsewhere: Addresses that only others name which share its role.
        alike: Addresses of all that share its role.
    """
    given, complete = roles.of(role)
    skip = {source, *elsewhere}
    candidates = [one for one in _candidates(building) if one[1].address not in skip]
    found: dict[str, Known] = {}
    generic: dict[str, list[tuple[Resource, Node]]] = {}
    for resource, node in candidates:
        pattern = _pattern(given, (resource, node))
        feeds = any(building.connected(node.address, one) for one in (source, *alike))
        if pattern is None:
            if node.address in named and not feeds and not (complete and _mentions(given, resource)):
                found[node.address] = "named"
        elif not is_generic(pattern):
            failing = _holds_failures(building, node)
            fed = feeds and _also_reads(given, (resource, node))
            if node.address in named or not (failing or fed):
                found[node.address] = "allowed"
        elif node.address in named:
            found[node.address] = "allowed"
        elif not feeds and not _holds_failures(building, node):
            generic.setdefault(resource.type, []).append((resource, node))
    for kind, places in generic.items():
        # A policy for everything names nothing, unless there is only one.
        if len(places) == 1 and not any(building.nodes[one].kind == kind for one in found):
            found[places[0][1].address] = "allowed"
    found |= _beyond_the_state(building, given, source)
    _default_bus(building, given, found, named)
    for address in sorted(found):
        building.connect(source, address, "may write", by, known=found[address], notes=_told(address, named))
    for resource, node in candidates:
        unread = not any(edge.source == node.address and edge.carries for edge in building.edges)
        if unread and _polls(given, (resource, node)) and node.address not in found:
            building.connect(node.address, source, "may receive", by, known="allowed")


def _told(address: str, named: Mapping[str, str]) -> list[str | None]:
    return [f"environment {named[address]}" if address in named else None]


def _candidates(building: Building) -> Iterator[tuple[Resource, Node]]:
    """The resources that a function can write to."""
    for resource in building.of_type(*_WRITING):
        address = building.at_resource(resource) if resource.managed else None
        if address and address in building.nodes:
            yield resource, building.nodes[address]


def _pattern(given: Sequence[Statement], one: tuple[Resource, Node]) -> str | None:
    """The pattern of a resource that lets a role write to this one; None if nothing does."""
    resource, node = one
    patterns = (allows(given, action, str(node.arn)) for action in _WRITING[resource.type] if node.arn)
    return max(filter(None, patterns), key=lambda text: len(text.strip("*")), default=None)


def _also_reads(given: Iterable[Statement], one: tuple[Resource, Node]) -> bool:
    """Whether a role may write to a resource only by statements that let it read there as well."""
    reading = _READING.get(one[0].type)
    writing_only = [
        statement for statement in given if not (reading and statement.allows and statement.acts(reading))
    ]
    return _pattern(writing_only, one) is None


def _polls(given: Sequence[Statement], one: tuple[Resource, Node]) -> bool:
    """Whether a role may read a queue or stream by a statement that says so, not by one for all actions."""
    resource, node = one
    action = _POLLING.get(resource.type)
    if not (action and node.arn):
        return False
    meant = [one for one in given if not _ALL.search(one.acts(action) or "") or not one.allows]
    pattern = allows(meant, action, node.arn)
    return pattern is not None and not is_generic(pattern)


def _mentions(given: Iterable[Statement], resource: Resource) -> bool:
    """Whether a role's policies name a resource: what they don't allow there, it doesn't do."""
    arn = resource.text("arn")
    return any(one.startswith(arn) for statement in given for one in statement.resources if arn)


def _holds_failures(building: Building, node: Node) -> bool:
    into = [edge for edge in building.edges if edge.target == node.address]
    return bool(into) and all(edge.failure for edge in into)


def _named(building: Building, environment: Mapping[str, object]) -> dict[str, str]:
    """Addresses of the nodes that an environment names, each with the name of the variable."""
    found: dict[str, str] = {}
    for variable, value in environment.items():
        if not isinstance(value, str) or len(value) < _SHORTEST:
            continue
        resources = [one for one in building.references.named(value) if one.type in _WRITING]
        if len(resources) > 1:
            hinted = [one for one in resources if any(hint in variable.upper() for hint in _HINTS[one.type])]
            resources = hinted or resources
        for resource in resources or list(building.references.within(value)):
            address = building.at_resource(resource) if resource.type in _WRITING else None
            if address and address != LISTENER:
                found.setdefault(address, variable)
        if value == DEFAULT_BUS and "BUS" in variable.upper():
            found.setdefault(building.bus(value), variable)
    return found


def _beyond_the_state(building: Building, given: Sequence[Statement], source: str) -> dict[str, Known]:
    """The places that a role may write to by their whole ARN, and that this state doesn't manage."""
    found: dict[str, Known] = {}
    for statement in given:
        writing = [one for one in _ACTIONS if statement.allows and statement.acts(one)]
        for pattern in statement.resources:
            arn = pattern.removesuffix("/*").removesuffix(":*")
            service = arn_parts(arn)["service"]
            action = next((one for one in writing if one.startswith(f"{service}:")), None)
            if "*" in arn or action is None:
                continue
            known = building.references.find(arn)
            if known is None or not known.managed:
                address = building.at(arn)
                if address and address != source and allows(given, action, arn):
                    found[address] = "allowed"
    return found


def _default_bus(
    building: Building,
    given: Sequence[Statement],
    found: dict[str, Known],
    named: Mapping[str, str],
) -> None:
    """The bus `default` is in no state. A role that may put events on it, or on every bus, writes there."""
    used = next((one for one in building.nodes.values() if one.identifier == "default"), None)
    if used is None or used.kind != "aws_cloudwatch_event_bus":
        return
    pattern = allows(given, "events:PutEvents", "arn:aws:events:region:account:event-bus/default")
    exact = any(
        one.endswith(":event-bus/default")
        for statement in given
        for one in statement.resources
        if statement.allows and statement.acts("events:PutEvents")
    )
    to_others = any(building.nodes[one].kind == used.kind for one in found)
    if exact or used.address in named or (pattern is not None and is_generic(pattern) and not to_others):
        found[used.address] = "allowed" if exact or pattern else "named"
