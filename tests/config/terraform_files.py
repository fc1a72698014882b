"""The declarations of the root, the modules and the examples, read by python-hcl2."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
from hcl2.utils import SerializationOptions

REPOSITORY = Path(__file__).parents[2]
_READING = SerializationOptions(with_comments=False, preserve_heredocs=False, strip_string_quotes=True)
# What Terraform itself reads in a block, whatever its type.
META_ARGUMENTS = {"count", "for_each", "provider", "depends_on", "lifecycle", "connection", "provisioner"}


@dataclass(frozen=True)
class Declaration:
    """One top-level block of a file.

    Attributes:
        file: its path in the repository.
        kind: "resource", "variable", ...
        labels: the type and the name of a resource, the name of a variable, none of `terraform`.
        body: its arguments and blocks; a block is a list of dicts, an expression a text "${...}".
    """

    file: Path
    kind: str
    labels: tuple[str, ...]
    body: dict[str, Any]

    @property
    def name(self) -> str:
        return self.labels[-1] if self.labels else self.kind

    @property
    def type(self) -> str:
        """The type of a resource; that of a data source begins with "data."."""
        return f"data.{self.labels[0]}" if self.kind == "data" else self.labels[0]

    def __str__(self) -> str:
        return f"{self.file}: {'.'.join([self.kind, *self.labels])}"


def is_block(value: Any) -> bool:
    return (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "__is_block__" in value[0]
    )


def arguments(body: dict[str, Any]) -> dict[str, Any]:
    """A block's arguments and blocks without what is Terraform's or the parser's own."""
    own = {key: value for key, value in body.items() if not key.startswith("__")}
    return {key: value for key, value in own.items() if key not in META_ARGUMENTS and key != "dynamic"}


def blocks(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The nested blocks, those that `dynamic` makes included."""
    for key, value in arguments(body).items():
        if is_block(value):
            yield from ((key, one) for one in value)
    for dynamic in body.get("dynamic", []):
        for key, one in dynamic.items():
            if not key.startswith("__"):
                yield from ((key, content) for content in one["content"])


def parse(file: Path, root: Path = REPOSITORY) -> list[Declaration]:
    parsed = hcl2.loads(file.read_text(encoding="utf-8"), serialization_options=_READING)
    return [
        Declaration(file.relative_to(root), kind, labels, body)
        for kind, bodies in parsed.items()
        for labels, body in _labelled(bodies)
    ]


def _labelled(bodies: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for body in bodies:
        if "__is_block__" in body:
            yield (), body
        else:
            for label, inner in body.items():
                yield from (((label, *labels), found) for labels, found in _labelled([inner]))


@cache
def directories() -> tuple[Path, ...]:
    """Every directory of the repository with Terraform in it: the root, each module, each example."""
    below = [p.parent for area in ("modules", "examples") for p in (REPOSITORY / area).rglob("*.tf")]
    ours = {d for d in below if not any(part.startswith(".") for part in d.relative_to(REPOSITORY).parts)}
    return REPOSITORY, *sorted(ours)


@cache
def declarations(area: str = "") -> tuple[Declaration, ...]:
    """All declarations in directories whose path begins with `area`; "." is the root alone."""
    wanted = [d for d in directories() if _in_area(d, area)]
    files = sorted(f for d in wanted for f in d.glob("*.tf"))
    return tuple(declaration for file in files for declaration in parse(file))


def of_kind(kind: str, area: str = "") -> list[Declaration]:
    return [one for one in declarations(area) if one.kind == kind]


def of_type(type_: str, area: str = "") -> list[Declaration]:
    return [one for one in declarations(area) if one.kind in ("resource", "data") and one.type == type_]


def strings(value: Any) -> Iterator[str]:
    """Every text within a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not key.startswith("__"):
                yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def _in_area(directory: Path, area: str) -> bool:
    relative = directory.relative_to(REPOSITORY).as_posix()
    return relative == "." if area == "." else f"{relative}/".startswith(area)
