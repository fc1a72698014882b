"""The difference of two JSON values, by path: `total: expected 11, got 10`."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice

_MOST = 8  # differences that are listed
_WIDTH, _BEFORE = 40, 12  # characters of a shown value, and of them before the difference


def json_difference(expected: object, got: object) -> list[str]:
    """The differences of two JSON values, one line each, the path first; empty if they are equal.

    1 and 1.0 are the same number; `true` isn't 1. A long text is shown around its first difference.
    """
    found = _differences("", expected, got)
    lines = list(islice(found, _MOST))
    more = sum(1 for _ in found)
    return [*lines, f"and {more:,} more differences"] if more else lines


def _differences(path: str, expected: object, got: object) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        for key in {**expected, **got}:
            at = _joined(path, str(key))
            if key not in got:
                yield f"{at}: expected {_shown(expected[key])}, got nothing"
            elif key not in expected:
                yield f"{at}: expected nothing, got {_shown(got[key])}"
            else:
                yield from _differences(at, expected[key], got[key])
    elif isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        for number, (left, right) in enumerate(zip(expected, got, strict=False)):
            yield from _differences(f"{path}[{number}]", left, right)
        if len(expected) != len(got):
            yield f"{path or 'the list'}: expected {_items(len(expected))}, got {_items(len(got))}"
    elif not _same(expected, got):
        yield f"{path or 'the value'}: {_compared(expected, got)}"


def _same(expected: object, got: object) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    return expected == got


def _compared(expected: object, got: object) -> str:
    if isinstance(expected, str) and isinstance(got, str) and max(len(expected), len(got)) > _WIDTH:
        pairs = enumerate(zip(expected, got, strict=False))
        at = next((n for n, (a, b) in pairs if a != b), min(len(expected), len(got)))
        start = max(0, at - _BEFORE)
        return (
            f"expected {_excerpt(expected, start)}, got {_excerpt(got, start)}"
            f" (differs from character {at + 1} on)"
        )
    return f"expected {_shown(expected)}, got {_shown(got)}"


def _excerpt(text: str, start: int) -> str:
    shown = json.dumps(text[start : start + _WIDTH], ensure_ascii=False)
    return f"{'…' if start else ''}{shown}{'…' if len(text) > start + _WIDTH else ''}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return _excerpt(value, 0)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"


def _items(number: int) -> str:
    return f"{number:,} item{'s' * (number != 1)}"


def _joined(path: str, key: str) -> str:
    name = key if key.isidentifier() else json.dumps(key, ensure_ascii=False)
    return f"{path}.{name}" if path else name
