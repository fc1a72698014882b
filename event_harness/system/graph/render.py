"""Writes a graph for people and programs: as a Mermaid flowchart, and as JSON."""

import json
from collections.abc import Iterator

from event_harness.system.graph.model import LISTENER, Edge, Graph, Node
from event_harness.system.graph.walks import ordered

_SHAPES = {
    "s3": ("[(", ")]"),
    "dynamodb": ("[(", ")]"),
    "sqs": ("[[", "]]"),
    "kinesis": ("[[", "]]"),
    "sns": ("((", "))"),
    "eventbridge": ("((", "))"),
    "http": ("([", "])"),
    "stepfunctions": ("{{", "}}"),
    "pipe": (">", "]"),
}
_WHAT = {
    "s3": "bucket",
    "sqs": "queue",
    "sns": "topic",
    "eventbridge": "event bus",
    "lambda": "function",
    "dynamodb": "table",
    "kinesis": "stream",
    "http": "API",
    "stepfunctions": "state machine",
    "pipe": "pipe",
}
_MOST = 80  # characters of a filter on an edge


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart: what connects for sure in full lines, the rest in dotted ones."""
    used = {end for edge in graph.edges for end in (edge.source, edge.target)}
    order = [address for address in ordered(graph) if address in graph.nodes]
    number = {address: f"n{at}" for at, address in enumerate(order)}
    lines = ["flowchart LR"]
    lines += [f"    {number[one]}{_shape(graph.nodes[one])}" for one in order if one in used]
    lines += [f"    {number[e.source]} {_arrow(e)} {number[e.target]}" for e in _in_order(graph, order)]
    lines += [f"    %% not connected: {graph.nodes[one].address}" for one in order if one not in used]
    lines += [f"    %% not understood: {_comment(one)}" for one in graph.unread]
    return "\n".join(lines)


def as_json(graph: Graph) -> str:
    """The graph as JSON: `nodes` and `edges`, in a stable order."""
    value = graph.to_json()
    value["nodes"] = [_named(graph, address) for address in ordered(graph) if address in graph.nodes]
    return json.dumps(value, indent=2, ensure_ascii=False)


def _named(graph: Graph, address: str) -> dict[str, object]:
    return next(node for node in graph.to_json()["nodes"] if node["address"] == address)


def _in_order(graph: Graph, order: list[str]) -> Iterator[Edge]:
    return (edge for address in order for edge in graph.out(address))


def _shape(node: Node) -> str:
    left, right = _SHAPES.get(node.type, ("[", "]"))
    what = _WHAT.get(node.type, node.kind.removeprefix("aws_").replace("_", " "))
    if node.address == LISTENER:
        return f'[/"{LISTENER}"/]'
    not_looked = ", not looked into" if node.type == "other" else ""
    return f'{left}"{_escaped(node.name)}<br/>{_escaped(what)}{not_looked}"{right}'


def _arrow(edge: Edge) -> str:
    label = edge.kind if edge.known == "declared" else f"{edge.kind} ({edge.known})"
    if edge.filter:
        label += f": {edge.filter if len(edge.filter) <= _MOST else edge.filter[: _MOST - 1] + '…'}"
    if not edge.enabled:
        label += ", disabled"
    dotted = edge.known != "declared" or not edge.carries
    return f'-. "{_escaped(label)}" .->' if dotted else f'-- "{_escaped(label)}" -->'


def _escaped(text: str) -> str:
    """A text inside of a Mermaid label: what would end the label is written as an entity."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    marks = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;"}
    return "".join(marks.get(character, character) for character in plain)


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
