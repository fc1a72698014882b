"""Reads the fields of untrusted events: returns a value of the right type, or raises a clear error."""

import base64
import json
import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

# DynamoDB's numbers end at 1E+126. A number with a greater exponent could fill the memory.
MAX_EXPONENT = 130
MAX_TIME = 253_402_300_799_999  # epoch milliseconds of the last moment of the year 9999


class MalformedRecordError(Exception):
    """A record doesn't have the form of its source type. The message names the field, never its value."""


def get(record: object, *path: str) -> Any:
    """Return the value at a path of keys, None if there is none."""
    value: Any = record
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def text(record: object, *path: str) -> str:
    """Return the text at a path of keys.

    Raises:
        MalformedRecordError: There is no text.
    """
    value = get(record, *path)
    if not isinstance(value, str):
        raise MalformedRecordError(f"{'.'.join(path)} is {_type_of(value)}, not text")
    return value


def optional_text(record: object, *path: str) -> str | None:
    """Return the text at a path of keys, None if there is none."""
    value = get(record, *path)
    return value if isinstance(value, str) else None


def whole_number(value: object) -> int:
    """Return a whole number of 0 or more; 0 for any other value."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def mapping(record: object, *path: str) -> Mapping[str, Any]:
    """Return the object at a path of keys; an empty object if there is none."""
    value = get(record, *path)
    return value if isinstance(value, Mapping) else {}


def base64_bytes(record: object, *path: str) -> bytes:
    """Return the bytes at a path of keys, decoded from base64.

    Raises:
        MalformedRecordError: There is no such text, or it isn't base64.
    """
    try:
        return base64.b64decode(text(record, *path), validate=True)
    except ValueError as error:
        raise MalformedRecordError(f"{'.'.join(path)} isn't base64") from error


def time_from_iso(value: object) -> int | None:
    """Return the epoch milliseconds of an ISO 8601 time; None if it can't be read."""
    try:
        return _bounded(datetime.fromisoformat(value).timestamp() * 1000) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def time_from_number(value: object, *, per_second: int = 1) -> int | None:
    """Return a time in epoch milliseconds. `per_second` says how many units of `value` a second has."""
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
        return _bounded(number * 1000 / per_second)
    except (ValueError, OverflowError):
        return None


def _bounded(milliseconds: float) -> int | None:
    """Return a time; None if it is before 1970 or after the year 9999, for no calendar has it."""
    return round(milliseconds) if 0 <= milliseconds <= MAX_TIME else None


def json_bytes(value: object) -> bytes:
    """Return a value as readable JSON. If it contains half a surrogate pair, the bytes aren't UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def plain(value: object) -> Any:
    """Turn an attribute value of DynamoDB, such as `{"S": "x"}`, into plain JSON: sets become lists.

    Raises:
        MalformedRecordError: It isn't an attribute value.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        raise MalformedRecordError(f"an attribute value is {_type_of(value)} that doesn't name one type")
    (kind, content), *_ = value.items()
    match kind, content:
        case "S" | "B", str():
            return content
        case "N", str():
            return _number(content)
        case "BOOL", bool():
            return content
        case "NULL", _:
            return None
        case "SS" | "BS", list() if all(isinstance(item, str) for item in content):
            return content
        case "NS", list() if all(isinstance(item, str) for item in content):
            return [_number(item) for item in content]
        case "L", list():
            return [plain(item) for item in content]
        case "M", Mapping():
            return {name: plain(item) for name, item in content.items()}
    raise MalformedRecordError(f"an attribute value of type {kind!r:.20} holds {_type_of(content)}")


def _number(digits: str) -> int | float | str:
    """Return a number; as text if a 64-bit float would round it."""
    try:
        number = Decimal(digits)
    except InvalidOperation as error:
        raise MalformedRecordError("an attribute value of type 'N' isn't a number") from error
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT or len(digits) > 2 * MAX_EXPONENT:
        raise MalformedRecordError("an attribute value of type 'N' is out of DynamoDB's range")
    if number == number.to_integral_value():
        return int(number)
    near = float(number)
    return near if Decimal(repr(near)) == number else digits


def _type_of(value: object) -> str:
    names = {"NoneType": "missing", "str": "text", "dict": "an object", "list": "a list", "bool": "a boolean"}
    return names.get(type(value).__name__, "a number")
