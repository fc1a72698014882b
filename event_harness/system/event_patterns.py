"""Evaluates filters as AWS does, to name the field of an event that doesn't match.

One language serves EventBridge rules, SNS filter policies and event source mappings: a JSON object whose
leaves are lists of allowed values and of operators such as `{"prefix": "a"}`.
"""

import fnmatch
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_ABSENT = object()
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def unmatched_field(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> str | None:
    """The first field of a pattern that an event doesn't match, told in words; None if there is none.

    An operator that isn't known here matches anything: a filter is blamed only where it is understood.
    """
    return _unmatched(pattern, event, "")


def unmatched_key(prefix: str | None, suffix: str | None, key: str) -> str | None:
    """How an object's key differs from a notification's filter; None if it matches."""
    if prefix and not key.startswith(prefix):
        return f"takes only keys that begin with {prefix!r}, this one begins with {key[: len(prefix)]!r}"
    if suffix and not key.endswith(suffix):
        return f"takes only keys that end in {suffix!r}, this one ends in {key.rpartition('/')[2]!r}"
    return None


def _unmatched(pattern: Mapping[str, Any], event: object, path: str) -> str | None:
    for name, wanted in pattern.items():
        at = f"{path}.{name}" if path else name
        if name == "$or":
            if isinstance(wanted, Sequence) and all(_unmatched(one, event, path) for one in wanted):
                return f"none of the alternatives matches: {_shown(wanted)}"
            continue
        value = event.get(name, _ABSENT) if isinstance(event, Mapping) else _ABSENT
        if isinstance(wanted, Mapping):
            if found := _unmatched(wanted, value, at):
                return found
        elif isinstance(wanted, list) and not _any_matches(wanted, value):
            has = "the event has no such field" if value is _ABSENT else f"the event has {_told(value)}"
            return f"{at} must be {_shown(wanted)}, {has}"
    return None


def _any_matches(wanted: Sequence[object], value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(_matches(one, item) for one in wanted for item in values or [_ABSENT])


def _matches(wanted: object, value: object) -> bool:
    if not isinstance(wanted, Mapping):
        if isinstance(wanted, bool) or isinstance(value, bool) or value is None or wanted is None:
            return wanted is value
        return wanted == value
    sign, operand = next(iter(wanted.items()), ("", None))
    if sign == "exists":
        return (value is not _ABSENT) == bool(operand)
    if value is _ABSENT:
        return False
    if sign in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
        return _matches_text(str(sign), operand, value)
    if sign == "anything-but":
        return not _excluded(operand, value)
    if sign == "numeric" and isinstance(operand, list):
        return _matches_number(operand, value)
    return True


def _matches_text(sign: str, operand: object, value: object) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(operand, Mapping):  # {"prefix": {"equals-ignore-case": "a"}}
        operand, value = str(next(iter(operand.values()), "")).lower(), value.lower()
    text = str(operand)
    if sign == "prefix":
        return value.startswith(text)
    if sign == "suffix":
        return value.endswith(text)
    if sign == "wildcard":
        return fnmatch.fnmatchcase(value, text.replace("[", "[[]").replace("?", "[?]"))
    return value.lower() == text.lower()


def _excluded(operand: object, value: object) -> bool:
    if isinstance(operand, Mapping):
        return _matches(operand, value)
    return value in operand if isinstance(operand, list) else value == operand


def _matches_number(operand: Sequence[object], value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    signs, limits = operand[::2], operand[1::2]
    return all(
        _COMPARE[sign](value, limit)
        for sign, limit in zip(signs, limits, strict=False)
        if isinstance(sign, str) and sign in _COMPARE and isinstance(limit, int | float)
    )


def _shown(wanted: object) -> str:
    values = wanted if isinstance(wanted, list) else [wanted]
    return " or ".join(json.dumps(value, ensure_ascii=False) for value in values)


def _told(value: object) -> str:
    """A value by its type and size: what an input carries isn't shown."""
    if isinstance(value, str):
        return f"another text, of {len(value):,} characters"
    return "another number" if isinstance(value, int | float) else "another value"
