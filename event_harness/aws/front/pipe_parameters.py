"""Lets MiniStack 1.5.33 remember the parameters of a pipe, and begin where the pipe asks for.

MiniStack drops them at CreatePipe, so the provider reads back a pipe without enrichment, filter and batches.
Its state then lacks them, and each plan wants to add them. MiniStack still doesn't carry them out.
`tests/integration/test_emulator_front.py` fails as soon as MiniStack keeps them: delete this module then.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import pipes

Response = tuple[int, dict[str, str], Any]

KEPT = (
    *("Enrichment", "EnrichmentParameters", "SourceParameters", "TargetParameters"),
    *("LogConfiguration", "KmsKeyIdentifier"),
)
_START = "StartingPosition"  # of a block of SourceParameters; UpdatePipe can't change it


def install() -> None:
    """Let MiniStack's Pipes keep what it was given."""
    pipes._create_pipe = _creating(pipes._create_pipe)
    pipes._update_pipe = _updating(pipes._update_pipe)
    pipes._describe_response = _describing(pipes._describe_response)


def _creating(create: Callable[[str, dict[str, Any]], Response]) -> Callable[[str, dict[str, Any]], Response]:
    @functools.wraps(create)
    def created(name: str, body: dict[str, Any]) -> Response:
        """Create a pipe, and keep its parameters."""
        answer = create(name, body)
        if answer[0] == 200:
            pipe = pipes._pipes[name]
            pipe |= {key: body[key] for key in KEPT if body.get(key)}
            start = next(filter(None, (block.get(_START) for block in _blocks(body))), None)
            if start in ("LATEST", "TRIM_HORIZON"):
                pipe[_START] = start
                pipes._positions[pipe["Arn"]] = pipes._initial_position(pipe)
        return answer

    return created


def _updating(update: Callable[[str, dict[str, Any]], Response]) -> Callable[[str, dict[str, Any]], Response]:
    @functools.wraps(update)
    def updated(name: str, body: dict[str, Any]) -> Response:
        """Change a pipe, and its parameters as far as they are given."""
        answer = update(name, body)
        if answer[0] == 200:
            pipe = pipes._pipes[name]
            before = pipe.get("SourceParameters") or {}
            pipe |= {key: body[key] for key in KEPT if key in body}
            for kind, block in (body.get("SourceParameters") or {}).items():
                old = before.get(kind)
                if isinstance(block, dict) and isinstance(old, dict) and _START in old:
                    block.setdefault(_START, old[_START])
        return answer

    return updated


def _describing(describe: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    @functools.wraps(describe)
    def described(pipe: Mapping[str, Any]) -> dict[str, Any]:
        """Describe a pipe with its parameters."""
        return describe(pipe) | {key: pipe[key] for key in KEPT if pipe.get(key)}

    return described


def _blocks(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    parameters = body.get("SourceParameters") or {}
    return [block for block in parameters.values() if isinstance(block, dict)]
