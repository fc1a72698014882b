"""What the local AWS emulator accepts and doesn't carry out: it is deployed, and nothing passes.

`docs/quirks.md` has the same table, and `tests/integration/test_emulated_edges.py` keeps it true.
"""

from collections.abc import Callable
from dataclasses import dataclass

from event_harness.system.graph.model import Edge, Graph, Node
from event_harness.system.graph.sdk_calls import is_made

_SUBSCRIBERS = ("email", "email-json", "sms", "application", "firehose")
_RULE_TARGETS = ("lambda", "sqs", "sns", "stepfunctions", "eventbridge")
_API_DESTINATION = "aws_cloudwatch_event_api_destination"
_TASKS = ("lambda:", "sqs:", "sns:", "events:", "states:", "ecs:runTask", "aws-sdk:")
_TABLE_TASKS = ("dynamodb:putItem", "dynamodb:getItem", "dynamodb:updateItem", "dynamodb:deleteItem")


@dataclass(frozen=True)
class Gap:
    """One row of the table.

    Attributes:
        what: The connection, as the table names it.
        effect: What becomes of an event there.
        matches: Tells whether an edge, from one node to another, is such a connection.
        stops: No event passes it.
    """

    what: str
    effect: str
    matches: Callable[[Edge, Node, Node], bool]
    stops: bool = True


GAPS = (
    Gap(
        "a pipe that reads anything but a DynamoDB stream",
        "the pipe takes nothing",
        lambda edge, source, _: edge.kind == "pipe source" and source.type != "dynamodb",
    ),
    Gap(
        "a pipe to anything but a topic or a state machine",
        "the pipe holds the records",
        lambda edge, _, target: edge.kind == "pipe target" and target.type not in ("sns", "stepfunctions"),
    ),
    Gap(
        "the filter of a pipe",
        "every record passes",
        lambda edge, *_: edge.kind == "pipe source" and bool(edge.filter),
        stops=False,
    ),
    Gap(
        "the enrichment of a pipe",
        "it is not called",
        lambda edge, *_: edge.kind == "enrichment",
        stops=False,
    ),
    Gap(
        "the input template of a pipe",
        "the target gets the record as it is",
        lambda edge, *_: edge.kind == "pipe target" and "input transformed" in edge.notes,
        stops=False,
    ),
    Gap(
        "a rule or a schedule to anything but a function, a queue, a topic, a state machine, a bus or an API"
        " destination",
        "the event is dropped",
        lambda edge, _, target: (
            (edge.kind.startswith("rule ") or edge.kind == "schedule")
            and target.type not in _RULE_TARGETS
            and target.kind != _API_DESTINATION
        ),
    ),
    Gap(
        "a schedule that makes a call of the AWS SDK",
        "the call is not made",
        lambda edge, *_: edge.kind == "schedule" and "AWS SDK call" in edge.notes,
    ),
    Gap(
        "the dead-letter queue of a rule or a schedule",
        "what can't be delivered is lost",
        lambda edge, source, _: (
            edge.kind.startswith("dead-letter queue of rule ")
            or (edge.failure and source.kind == "aws_scheduler_schedule")
        ),
    ),
    Gap(
        "the dead-letter queue of a subscription",
        "what can't be delivered is lost",
        lambda edge, source, _: edge.failure and source.type == "sns",
    ),
    Gap(
        "the destination for success of a function",
        "nothing is sent there",
        lambda edge, *_: edge.kind == "on success",
    ),
    Gap(
        "a subscription by e-mail, text message, mobile push or Firehose (read)",
        "nothing is sent",
        lambda edge, *_: edge.kind == "subscription" and any(one in _SUBSCRIBERS for one in edge.notes),
    ),
    Gap(
        "log lines to anything but a function",
        "nothing is sent",
        lambda edge, _, target: edge.kind == "log subscription" and target.type != "lambda",
    ),
    Gap(
        "an HTTP API that calls an AWS service other than a function",
        "the call fails",
        lambda edge, source, target: (
            edge.kind.startswith("integration")
            and source.kind == "aws_apigatewayv2_api"
            and target.type != "lambda"
            and target.kind != "outside"
        ),
    ),
    Gap(
        "a REST API that calls an AWS service other than a function or a queue",
        "the call fails",
        lambda edge, source, target: (
            edge.kind.startswith("integration")
            and source.kind == "aws_api_gateway_rest_api"
            and target.type not in ("lambda", "sqs")
            and target.kind != "outside"
        ),
    ),
    Gap(
        "a task of Step Functions other than for functions, queues, topics, items, events, executions and the"
        " AWS SDK",
        "the execution fails",
        lambda edge, *_: edge.kind.startswith("task ") and not _is_integrated(edge.notes),
    ),
    Gap(
        "a call of the AWS SDK by Step Functions that the emulator doesn't know, such as `putObject` and"
        " `getObject` of S3 and `invoke` of Lambda",
        "the execution fails",
        lambda edge, *_: edge.kind.startswith("task ") and any(map(_is_unknown_call, edge.notes)),
    ),
)


def not_carried_out(graph: Graph) -> list[tuple[Edge, Gap]]:
    """The edges of a system that the local AWS emulator doesn't carry out, or not wholly."""
    return [
        (edge, gap)
        for edge in graph.edges
        for gap in GAPS
        if gap.matches(edge, graph.nodes[edge.source], graph.nodes[edge.target])
    ]


def told(graph: Graph, edge: Edge, gap: Gap) -> str:
    """One line about an edge that isn't carried out."""
    names = f"{graph.nodes[edge.source].name} -> {graph.nodes[edge.target].name}"
    return f"{names} ({edge.kind}): {gap.effect}, since the local AWS emulator doesn't carry out {gap.what}"


def _is_unknown_call(note: str) -> bool:
    sdk, _, call = note.partition(":")
    service, _, action = call.partition(":")
    return sdk == "aws-sdk" and not is_made(service, action)


def _is_integrated(notes: tuple[str, ...]) -> bool:
    return all(note.startswith(_TASKS) or note.startswith(_TABLE_TASKS) for note in notes)
