"""Reads JSON objects strictly: each error names the origin of the value, and the field."""

from collections.abc import Iterable, Mapping
from typing import Any

from event_harness.errors import ResourceMapError


class Fields:
    """Reads fields of decoded JSON.

    Args:
        origin: Where the JSON came from, for messages.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def error(self, where: str, problem: str) -> ResourceMapError:
        """Make an error about a field."""
        return ResourceMapError(f"{self.origin}: {where} {problem}")

    def mapping(self, value: object, where: str) -> Mapping[str, Any]:
        """Check an object."""
        if not isinstance(value, Mapping):
            raise self.error(where, f"must be an object, is {_kind(value)}")
        return value

    def sequence(self, item: Mapping[str, Any], name: str) -> list[Any]:
        """Return the list of this name."""
        value = item.get(name)
        if not isinstance(value, list):
            raise self.error(name, f"must be a list, is {_kind(value)}")
        return value

    def text(self, item: Mapping[str, Any], name: str, prefix: str = "") -> str:
        """Return the text of this name. It has at least one character."""
        value = item.get(name)
        if not isinstance(value, str) or not value:
            raise self.error(
                f"{prefix}{name}", f"must be a text with at least one character, is {_kind(value)}"
            )
        return value

    def optional(self, item: Mapping[str, Any], name: str, prefix: str) -> str | None:
        """Return the text of this name; None if it is missing or null."""
        return None if item.get(name) is None else self.text(item, name, prefix)

    def choice(self, item: Mapping[str, Any], name: str, choices: tuple[str, ...], prefix: str) -> str:
        """Return the text of this name, which must be one of the choices."""
        value = item.get(name)
        if value not in choices:
            raise self.error(f"{prefix}{name}", f"is {value!r}; must be one of: {', '.join(choices)}")
        return str(value)

    def known(self, item: Mapping[str, Any], names: Iterable[str], where: str) -> None:
        """Check that there are no other fields."""
        unknown = sorted(set(item) - set(names))
        if unknown:
            raise self.error(
                where, f"has an unknown field {unknown[0]!r}; it may have: {', '.join(sorted(names))}"
            )


def _kind(value: object) -> str:
    if value is None:
        return "missing or null"
    return repr(value) if isinstance(value, str | int | float | bool) else f"a {type(value).__name__}"
