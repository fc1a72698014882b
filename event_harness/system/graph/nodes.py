"""Makes nodes of resources: which types of resources are which components, and by what they are named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from event_harness.system.graph.model import Node
from event_harness.system.graph.references import arn_parts, canonical
from event_harness.system.graph.state import Resource

_Identifier = Callable[[Resource], str]


@dataclass(frozen=True)
class Kind:
    """How a resource type becomes a node: the type of its component, and its identifier."""

    type: str
    identifier: _Identifier


def _attribute(*names: str) -> _Identifier:
    return lambda resource: next(filter(None, map(resource.text, names)), "")


KINDS: Mapping[str, Kind] = {
    "aws_s3_bucket": Kind("s3", _attribute("bucket", "id")),
    "aws_sqs_queue": Kind("sqs", _attribute("url", "id")),
    "aws_sns_topic": Kind("sns", _attribute("arn", "id")),
    "aws_cloudwatch_event_bus": Kind("eventbridge", _attribute("name", "id")),
    "aws_lambda_function": Kind("lambda", _attribute("function_name", "id")),
    "aws_dynamodb_table": Kind("dynamodb", _attribute("name", "id")),
    "aws_kinesis_stream": Kind("kinesis", _attribute("name")),
    "aws_sfn_state_machine": Kind("stepfunctions", _attribute("arn", "id")),
    "aws_pipes_pipe": Kind("pipe", _attribute("name", "id")),
    "awscc_pipes_pipe": Kind("pipe", _attribute("name", "id")),
    "aws_lambda_function_url": Kind("http", _attribute("function_url")),
    "aws_api_gateway_rest_api": Kind("http", _attribute("invoke_url")),
    "aws_apigatewayv2_api": Kind("http", _attribute("invoke_url", "api_endpoint")),
}

# What belongs to a node is no node of its own.
PARTS = ("aws_lambda_alias",)

# How a component is made of an ARN that the state doesn't hold. A queue's URL can't be told from its ARN.
_OUTSIDE: Mapping[str, tuple[str, Callable[[Mapping[str, str]], str]]] = {
    "s3": ("s3", lambda arn: arn["resource"].partition("/")[0]),
    "sns": ("sns", lambda arn: arn["arn"]),
    "lambda": ("lambda", lambda arn: arn["resource"].removeprefix("function:").partition(":")[0]),
    "dynamodb": ("dynamodb", lambda arn: arn["resource"].removeprefix("table/").partition("/")[0]),
    "kinesis": ("kinesis", lambda arn: arn["resource"].removeprefix("stream/")),
    "states": ("stepfunctions", lambda arn: arn["arn"]),
    "events": ("eventbridge", lambda arn: arn["resource"].removeprefix("event-bus/")),
}
_RESOURCES = {"lambda": "function:", "dynamodb": "table/", "states": "stateMachine:", "events": "event-bus/"}


def node_of(resource: Resource, *, log_group: str | None = None, identifier: str = "") -> Node:
    """The node of a resource. A type that the harness doesn't know becomes `other`.

    Args:
        resource: Any resource.
        log_group: Name of its log group.
        identifier: Takes the place of the one in its attributes.
    """
    kind = KINDS.get(resource.type)
    told = identifier or (kind.identifier(resource) if kind else "")
    return Node(
        address=resource.address,
        name="",
        kind=resource.type,
        type=kind.type if kind and told else "other",
        identifier=told or resource.text("arn") or resource.address,
        arn=resource.text("arn") or None,
        log_group=log_group,
        outside=not resource.managed,
    )


def outside(text: str) -> Node:
    """The node of something that the state doesn't hold.

    Args:
        text: Its ARN, or an address of another kind, such as an e-mail address.
    """
    if not text.startswith("arn:"):
        shown = _without_secrets(text)
        return Node(shown, "", "outside", "other", shown, outside=True)
    arn = canonical(text)
    parts = arn_parts(arn)
    found = _OUTSIDE.get(parts["service"])
    if found and parts["resource"].startswith(_RESOURCES.get(parts["service"], "")):
        type_, identifier = found
        return Node(arn, "", "outside", type_, identifier({**parts, "arn": arn}), arn=arn, outside=True)
    return Node(arn, "", "outside", "other", arn, arn=arn, outside=True)


def _without_secrets(text: str) -> str:
    """An endpoint without what may be a secret: the path and the query of a URL."""
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.hostname}" if parts.scheme and parts.hostname else text
