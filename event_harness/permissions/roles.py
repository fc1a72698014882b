"""What the roles of functions, pipes, schedules and state machines need, where the emulator doesn't ask."""

from collections.abc import Iterable, Iterator, Mapping

from event_harness.permissions import state_machines
from event_harness.permissions.blocks import text, within
from event_harness.permissions.need import Need, for_role, trust
from event_harness.permissions.targets import actions_on, service_of
from event_harness.system.graph.state import Resource

_READING = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "kinesis": ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream"),
    "dynamodb": ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"),
}
# Lambda describes a stream in one of two ways.
_INSTEAD = {"kinesis:DescribeStream": ("kinesis:DescribeStreamSummary",)}


def needs(resources: Iterable[Resource]) -> Iterator[Need]:
    """What the roles need for the mappings, destinations, pipes and tasks among the resources."""
    known = list(resources)
    roles = {
        one.text("function_name"): one.text("role") for one in known if one.type == "aws_lambda_function"
    }
    for one in known:
        match one.type:
            case "aws_lambda_function":
                role = one.text("role")
                yield from trust(one.address, role, "lambda.amazonaws.com")
                for found in within(one, "dead_letter_config"):
                    yield from _sending(one.address, role, text(found, "target_arn"))
            case "aws_lambda_function_event_invoke_config":
                role = roles.get(_name(one.text("function_name")), "")
                for when in ("on_failure", "on_success"):
                    for found in within(one, "destination_config", when):
                        yield from _sending(one.address, role, text(found, "destination"))
            case "aws_lambda_event_source_mapping":
                function = one.text("function_arn") or one.text("function_name")
                role = roles.get(_name(function), "")
                yield from _reading(one.address, role, one.text("event_source_arn"))
                for found in within(one, "destination_config", "on_failure"):
                    yield from _sending(one.address, role, text(found, "destination_arn"))
            case "aws_pipes_pipe":
                yield from _pipe(one)
            case "aws_scheduler_schedule":
                yield from _schedule(one)
            case "aws_sfn_state_machine":
                role = one.text("role_arn")
                yield from trust(one.address, role, "states.amazonaws.com")
                yield from state_machines.needs(one.address, role, one.text("arn"), one.text("definition"))


def _name(function: str) -> str:
    """The name of a function, from its name, ARN or either with a qualifier."""
    return function.partition(":function:")[2].partition(":")[0] or function.partition(":")[0]


def _sending(address: str, role: str, target: str) -> Iterator[Need]:
    if service_of(target) == "s3":
        yield from for_role(address, role, ["s3:PutObject"], f"{target}/*")
        return
    actions = actions_on(target)
    for need in for_role(address, role, actions[:1], target):
        yield Need(need.address, need.action, need.resource, role=need.role, instead=actions[1:])


def _reading(address: str, role: str, source: str) -> Iterator[Need]:
    if "/consumer/" in source:
        return  # enhanced fan-out asks for other actions
    for need in for_role(address, role, _READING.get(service_of(source), ()), source):
        yield Need(need.address, need.action, source, role=role, instead=_INSTEAD.get(need.action, ()))


def _pipe(one: Resource) -> Iterator[Need]:
    role = one.text("role_arn")
    yield from trust(one.address, role, "pipes.amazonaws.com")
    yield from _reading(one.address, role, one.text("source"))
    for name in ("enrichment", "target"):
        yield from _sending(one.address, role, one.text(name))
    for found in within(one, "source_parameters"):
        for block in found.values():
            for letters in _dead_letters(block):
                yield from _sending(one.address, role, letters)


def _dead_letters(block: object) -> Iterator[str]:
    for outer in block if isinstance(block, list) else []:
        if isinstance(outer, Mapping):
            for inner in outer.get("dead_letter_config") or []:
                if isinstance(inner, Mapping):
                    yield text(inner, "arn")


def _schedule(one: Resource) -> Iterator[Need]:
    for target in within(one, "target"):
        role = text(target, "role_arn")
        yield from trust(one.address, role, "scheduler.amazonaws.com")
        yield from _sending(one.address, role, text(target, "arn"))
    for found in within(one, "target", "dead_letter_config"):
        for target in within(one, "target"):
            yield from _sending(one.address, text(target, "role_arn"), text(found, "arn"))
