"""Bodies of inputs: their bytes, and correlation ids put into them."""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from event_harness.errors import ProducerError

Body = str | bytes | Mapping[str, Any] | Sequence[Any]
"""What can be sent: text, bytes, or anything that JSON can say."""


def encoded(body: Body) -> bytes:
    """The bytes of a body: text as UTF-8, anything that isn't text or bytes as JSON.

    Raises:
        ProducerError: JSON can't say it, or the text holds half a surrogate pair.
    """
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    try:
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, allow_nan=False)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ProducerError(
            f"the body (a {type(body).__name__}) can't be sent: {error};"
            " send text, bytes or what JSON can say"
        ) from error


def text_of(body: Body, service: str) -> str:
    """The body as text, for services that take nothing else.

    Raises:
        ProducerError: It is empty, or bytes that aren't UTF-8, or can't be encoded.
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
    """The body as a JSON object that may be changed: a mapping, or text or bytes that say one.

    Raises:
        ProducerError: It is none.
    """
    try:
        value = json.loads(body) if isinstance(body, str | bytes) else copy.deepcopy(body)
    except ValueError as error:
        raise ProducerError(f"{service}: the body must be a JSON object, and isn't JSON ({error})") from error
    if not isinstance(value, Mapping):
        raise ProducerError(f"{service}: the body must be a JSON object, is a {type(value).__name__}")
    return dict(value)


def with_field(body: Body, field: str, correlation_id: str, service: str) -> dict[str, Any]:
    """A copy of a JSON object with the correlation id at `field`: a name, or names joined by dots.

    Raises:
        ProducerError: The body is no JSON object, or has another value there already: nothing is overwritten.
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
