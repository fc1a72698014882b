"""Bodies of inputs: turns them into bytes, and puts correlation ids into them."""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from event_harness.errors import ProducerError

_FILTERED = 64 * 1024  # characters of a body that are kept for explanations

Body = str | bytes | Mapping[str, Any] | Sequence[Any]
"""A body: text, bytes, or any value that JSON can hold."""


def encoded(body: Body) -> bytes:
    """Turn a body into bytes: text as UTF-8, other values as JSON.

    Raises:
        ProducerError: JSON can't hold it, or the text contains half a surrogate pair.
    """
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    try:
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, allow_nan=False)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ProducerError(
            f"the body (a {type(body).__name__}) can't be sent: {error};"
            " send text, bytes, or a value that JSON can hold"
        ) from error


def for_filters(text: str) -> Any:
    """A body as filters see it: JSON decoded, text as it is; None of one that is too large to be kept."""
    if len(text) > _FILTERED:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def text_of(body: Body, service: str) -> str:
    """Turn a body into text, for services that take only text.

    Raises:
        ProducerError: It is empty, isn't UTF-8, or can't be encoded.
    """
    content = encoded(body)
    if not content:
        raise ProducerError(f"{service} takes no empty body; send at least one character")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ProducerError(
            f"{service} takes text only, and the body isn't UTF-8 at byte {error.start} of {len(content):,};"
            " encode it first, with base64 for instance"
        ) from error


def json_object(body: Body, service: str) -> dict[str, Any]:
    """Turn a body into a JSON object: a mapping, or text or bytes that hold one. The result is a copy.

    Raises:
        ProducerError: It isn't a JSON object.
    """
    try:
        value = json.loads(body) if isinstance(body, str | bytes) else copy.deepcopy(body)
    except ValueError as error:
        raise ProducerError(f"{service}: the body must be a JSON object, and isn't JSON ({error})") from error
    if not isinstance(value, Mapping):
        raise ProducerError(f"{service}: the body must be a JSON object, is a {type(value).__name__}")
    return dict(value)


def with_field(body: Body, field: str, correlation_id: str, service: str) -> dict[str, Any]:
    """Copy a JSON object, and put the correlation id at `field`: a name, or names joined by dots.

    Raises:
        ProducerError: The body isn't a JSON object, or it has another value at `field`.
    """
    whole = json_object(body, service)
    *parents, last = field.split(".")
    inner = whole
    for name in parents:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ProducerError(
                f"{service}: the correlation id belongs at {field!r}, and {name!r} isn't an object there"
            )
    if inner.get(last, correlation_id) != correlation_id:
        raise ProducerError(
            f"{service}: the body has {inner[last]!r} at {field!r}, where the correlation id belongs;"
            " leave it out, or pass it as correlation_id"
        )
    inner[last] = correlation_id
    return whole
