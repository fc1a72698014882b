"""The listener's settings, from environment variables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from records import Record


class SettingError(Exception):
    """An environment variable is missing or has a wrong value."""


@dataclass(frozen=True)
class Source:
    """One source of events.

    Attributes:
        name: Its name in the module's `sources`.
        type: Its type, as in `Record.source_type`.
        match: A bucket's name, or the ARN of a queue, topic, stream or table; for EventBridge the name.
        correlation_from: Where its events carry the correlation id: `key`, `attribute` or `body`; `auto` if
            the module's user doesn't say. None of an event that came from no known source.
        correlation_at: The attribute's name, a JMESPath expression for the body, or a pattern of the key; the
            asterisk of the pattern stands for the id.
        partial: Whether its event source mapping asks for partial batch responses.
        unwrap: Whether a body is looked for within wrappings.
        decode: Wrappings that are always taken off first: `base64`, `gzip`.
    """

    name: str
    type: str
    match: str
    correlation_from: str | None = None
    correlation_at: str | None = None
    partial: bool = False
    unwrap: bool = True
    decode: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """All settings.

    Attributes:
        table: Name of the results table.
        overflow_bucket: Name of the bucket for bodies over the inline limit.
        ttl: Seconds that a result is kept.
        inline_limit: The most bytes of a body that an item of the table holds.
        shards: Number of partition keys that each test session is spread over.
        sources: The sources of events.
    """

    table: str
    overflow_bucket: str
    ttl: int
    inline_limit: int
    shards: int
    sources: tuple[Source, ...]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            SettingError: A variable is missing or has a wrong value. The message names it.
        """
        return cls(
            table=_text(environ, "RESULTS_TABLE"),
            overflow_bucket=_text(environ, "OVERFLOW_BUCKET"),
            ttl=_number(environ, "RESULT_TTL_SECONDS"),
            inline_limit=_number(environ, "INLINE_LIMIT_BYTES", default="262144"),
            shards=_number(environ, "RESULT_SHARDS", default="1"),
            sources=_sources(_text(environ, "SOURCES")),
        )

    def source_of(self, record: Record) -> Source:
        """Return the source that a record came from; a source named `unknown` if it came from no known one.

        An EventBridge event names neither its bus nor its rule. The rule's target adds the source's name.
        Without that name, the source is known only if there is a single EventBridge source.
        """
        same_type = [source for source in self.sources if source.type == record.source_type]
        if record.source_type == "eventbridge" and not record.match and len(same_type) == 1:
            return same_type[0]
        for source in same_type:
            # The ARN of a table's stream starts with the ARN of the table.
            if record.match == source.match or record.match.startswith(f"{source.match}/stream/"):
                return source
        return Source(name="unknown", type=record.source_type, match=record.match)


def _text(environ: Mapping[str, str], name: str, default: str = "") -> str:
    value = environ.get(name, default)
    if not value:
        raise SettingError(f"the environment variable {name} is not set")
    return value


def _number(environ: Mapping[str, str], name: str, default: str = "") -> int:
    value = _text(environ, name, default)
    if not value.isdecimal():
        raise SettingError(f"the environment variable {name} is {value!r}, not a whole number")
    return int(value)


def _sources(value: str) -> tuple[Source, ...]:
    try:
        return tuple(
            Source(
                name,
                source["type"],
                source["match"],
                source["correlation"]["from"] if "correlation" in source else "auto",
                source["correlation"].get("at") if "correlation" in source else None,
                source.get("partial") is True,
                source.get("unwrap") is not False,
                tuple(source.get("decode", ())),
            )
            for name, source in json.loads(value).items()
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingError(f"the environment variable SOURCES can't be read: {error!r}") from error
