"""Gives each node a name: short, and the same as long as its Terraform address is."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from event_harness.system.graph.model import LISTENER, Node
from event_harness.system.graph.references import arn_parts

# Labels and modules that say nothing: the module around them names such a resource.
_SAYS_NOTHING = (
    *("this", "main", "default", "self", "api", "pipe", "state_machine"),
    *("function", "lambda", "lambda_function", "table", "dynamodb", "dynamodb_table"),
    *(
        "bucket",
        "s3",
        "s3_bucket",
        "queue",
        "sqs",
        "topic",
        "sns",
        "stream",
        "bus",
        "event_bus",
        "eventbridge",
    ),
)
_INDEX = re.compile(r"\[([^\]]*)\]")


def names(nodes: Iterable[Node], taken: Iterable[str] = ()) -> dict[str, str]:
    """A name for each address.

    It is the label in Terraform, without what all names can do without. Where two are the same, the type is
    put behind it, then the module before it; else it is the address.

    Args:
        nodes: Those that need a name.
        taken: Names that others have.
    """
    others = [*taken, LISTENER]
    left = sorted(nodes, key=lambda node: node.address)
    found: dict[str, str] = {}
    for form in (_label, _with_type, _with_module, _with_both, _address):
        told = {node.address: form(node) for node in left}
        uses = Counter([*told.values(), *found.values(), *others])
        alone = {address: name for address, name in told.items() if name and uses[name] == 1}
        found |= alone
        left = [node for node in left if node.address not in found]
    return found


def _label(node: Node) -> str:
    if node.kind == "outside":
        resource = arn_parts(node.address)["resource"] or node.address
        return resource.rstrip("/").rpartition("/" if "/" in resource else ":")[2]
    label = _parts(node.address)[-1].rpartition("/")[2]  # a part of a CloudFormation stack has its own
    telling = (
        name for name in [label, *reversed(_modules(node))] if _INDEX.sub("", name) not in _SAYS_NOTHING
    )
    return _plain(next(telling, label))


def _with_type(node: Node) -> str:
    kind = node.type if node.type != "other" else node.kind.removeprefix("aws_")
    return f"{_label(node)}_{kind}"


def _with_module(node: Node) -> str:
    modules = _modules(node)
    return "_".join(dict.fromkeys(_plain(name) for name in [*modules, _label(node)])) if modules else ""


def _with_both(node: Node) -> str:
    told = _with_module(node)
    return f"{told}_{node.type}" if told else ""


def _address(node: Node) -> str:
    return node.address


def _modules(node: Node) -> list[str]:
    parts = _parts(node.address)
    return [name for word, name in pairwise(parts) if word == "module"]


def _parts(address: str) -> list[str]:
    """The parts of an address between dots; a dot in an index divides nothing."""
    return re.findall(r"[^.\[]+(?:\[(?:\"(?:[^\"\\]|\\.)*\"|\d+)\])?", address)


def _plain(label: str) -> str:
    """A label with its index as a part of the name: `inbox["eu"]` is `inbox_eu`, `inbox[0]` is `inbox`."""
    name, _, index = label.partition("[")
    key = index.rstrip("]").strip('"')
    return name if key in ("", "0") else f"{name}_{key}"
