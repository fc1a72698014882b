"""The shape of an event: keys, types and sizes, without what it carries of somebody's data."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_KEYS, _DEPTH, _VALUE = 12, 3, 40  # keys of an object, levels, characters of a value that are shown
# Fields of events that carry content.
_CONTENT = {"body", "Message", "data", "detail", "NewImage", "OldImage"}


def shape(value: object, *, values: bool = False) -> str:
    """An event on one line: `{order: {id: text of 12, lines: list of 3}, total: number}`.

    Args:
        value: Decoded JSON, or text or bytes that aren't JSON.
        values: Show the values themselves, cut, in place of their types and sizes.
    """
    return _shape(value, values, _DEPTH)


def _shape(value: object, values: bool, depth: int) -> str:
    if isinstance(value, Mapping):
        if not depth:
            return f"object of {len(value)}"
        shown = [f"{key}: {_shape(item, values, depth - 1)}" for key, item in list(value.items())[:_KEYS]]
        more = [f"… {len(value) - _KEYS} more"] if len(value) > _KEYS else []
        return f"{{{', '.join([*shown, *more])}}}"
    if isinstance(value, list | tuple):
        first = f", the first {_shape(value[0], values, depth - 1)}" if value and depth else ""
        return f"list of {len(value)}{first}"
    if isinstance(value, bytes | bytearray):
        return f"{len(value):,} bytes"
    if values and value is not None:
        text = json.dumps(value, ensure_ascii=False, default=str)
        return text if len(text) <= _VALUE else f"{text[:_VALUE]}…"
    if isinstance(value, str):
        return f"text of {len(value):,}"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "number"


def decoded(body: bytes) -> object:
    """A body as JSON if it is JSON, else as text, else as bytes."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def is_sns_envelope(value: object) -> bool:
    """Whether a queue's message is the envelope that SNS wraps around what was published."""
    return (
        isinstance(value, Mapping)
        and value.get("Type") == "Notification"
        and isinstance(value.get("TopicArn"), str)
        and "Message" in value
    )


def without_content(event: Any) -> Any:
    """An event that may be shown: the size stands in place of all content."""
    if isinstance(event, Mapping):
        return {
            name: f"<{_size(value):,} characters>"
            if name in _CONTENT and value is not None
            else without_content(value)
            for name, value in event.items()
        }
    return [without_content(item) for item in event] if isinstance(event, list) else event


def _size(value: object) -> int:
    return len(value if isinstance(value, str) else json.dumps(value, default=str))


def texts(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in a decoded value."""
    if depth > 20:
        return
    if isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, depth + 1)
    elif isinstance(value, str):
        yield value
