"""Reads a Kinesis record in which the Kinesis Producer Library (KPL) has put several records.

The format is public (`aggregation-format.md` of the KPL): four bytes, a protobuf message, its MD5. Protobuf's
wire format is a few lines; its library is larger than this whole function.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

_MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST = 16  # bytes


@dataclass(frozen=True)
class UserRecord:
    """One of the records: what the system has put, with its own partition key."""

    partition_key: str
    data: bytes


class _NotAggregatedError(Exception):
    """The bytes don't have the format."""


def user_records(data: bytes) -> list[UserRecord] | None:
    """Return the records that the KPL has put into one; None if it has not."""
    message, digest = data[len(_MAGIC) : -_DIGEST], data[-_DIGEST:]
    if not data.startswith(_MAGIC) or hashlib.md5(message, usedforsecurity=False).digest() != digest:
        return None
    try:
        fields = list(_fields(message))
        keys = [value.decode() for number, value in fields if number == 1 and isinstance(value, bytes)]
        return [_record(value, keys) for number, value in fields if number == 3]
    except (_NotAggregatedError, UnicodeDecodeError):
        return None


def _record(message: int | bytes, keys: list[str]) -> UserRecord:
    if not isinstance(message, bytes):
        raise _NotAggregatedError
    fields = dict(_fields(message))
    key, data = fields.get(1, 0), fields.get(3)
    if not isinstance(key, int) or not isinstance(data, bytes) or key >= len(keys):
        raise _NotAggregatedError
    return UserRecord(keys[key], data)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: number and value, an integer or bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(message, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise _NotAggregatedError
        if at + size > len(message):
            raise _NotAggregatedError
        yield number, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _NotAggregatedError
