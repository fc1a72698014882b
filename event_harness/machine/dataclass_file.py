"""A dataclass as a JSON file: written whole or not at all, and checked when it is read."""

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any, get_origin, get_type_hints


def write(file: Path, fields: dict[str, Any]) -> None:
    """Write fields as JSON. The file is whole or untouched, even if this process is killed."""
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(encoded(fields), encoding="utf-8")
    partial.replace(file)


def encoded(fields: dict[str, Any]) -> str:
    """Fields as JSON."""
    raw = {name: v.isoformat() if isinstance(v, datetime) else v for name, v in fields.items()}
    return json.dumps(raw, indent=1)


def read(file: Path, kind: type) -> dict[str, Any]:
    """Read the fields of a dataclass. Fields that it doesn't have, from a newer version, are ignored.

    Raises:
        OSError: the file doesn't exist or can't be read.
        ValueError: the file is cut off, or a field has the wrong type.

    """
    return decoded(file.read_text(encoding="utf-8"), kind)


def decoded(text: str, kind: type) -> dict[str, Any]:
    """The fields of a dataclass in a text; see `read`.

    Raises:
        ValueError: the text is cut off, or a field has the wrong type.
    """
    raw = json.loads(text)
    if not isinstance(raw, dict):
        raise ValueError("it holds no fields")
    types = get_type_hints(kind)
    return {
        field.name: _typed(field.name, raw[field.name], types[field.name])
        for field in dataclasses.fields(kind)
        if field.name in raw
    }


def _typed(name: str, value: Any, type_: Any) -> Any:
    # Not `is datetime`: freezegun replaces that name, but not the annotation.
    if isinstance(type_, type) and issubclass(type_, datetime) and isinstance(value, str):
        value = datetime.fromisoformat(value)
        if value.tzinfo is None:
            raise ValueError(f"its {name} has no time zone")
    origin = get_origin(type_)
    if not isinstance(value, origin if origin in (dict, list) else type_):
        raise ValueError(f"its {name} is {value!r}")
    return value
