"""Correlation ids, `<session_id>/<case_id>`: they say which input caused a result."""

import re

import ulid

from event_harness.errors import SettingError
from event_harness.machine.ids import SHAPE, fresh_id

ULID = "[0-9A-HJKMNP-TV-Z]{26}"
"""The form of a fresh case id, as a regular expression."""

SESSION_ID = f"s{SHAPE}"
"""The form of an id of `new_session_id`, as a regular expression."""

_WITHOUT_SLASH = re.compile(rf"(?<![0-9A-Za-z])({SESSION_ID})_(?=[0-9A-Za-z_-])")

UNCORRELATED = "uncorrelated"
"""The session under which the listener files events that carry no correlation id."""


def new_session_id() -> str:
    """Make a fresh test session id. Ids sort by time."""
    return fresh_id("s")


def check_session_id(session_id: str) -> str:
    """Check a session id: it isn't empty, has no slash and no white space, and isn't the reserved name.

    Raises:
        SettingError: It isn't a session id.
    """
    if (
        not isinstance(session_id, str)
        or not session_id
        or "/" in session_id
        or session_id.split() != [session_id]
    ):
        raise SettingError(
            f"test session id {session_id!r}: must be a text without '/' and without white space"
        )
    if session_id == UNCORRELATED:
        raise SettingError(
            f"test session id {session_id!r}: is reserved for events without a correlation id; take another"
        )
    return session_id


def new_id(session_id: str, own: str | None = None) -> str:
    """Make a correlation id of this session: from `own` if it is given, otherwise a fresh one.

    `own` may contain slashes, and may already begin with the session id. It must be unique in the session.
    """
    if own is None:
        return f"{session_id}/{ulid.ULID()}"
    return own if session_id_of(own) == session_id and case_id_of(own) else f"{session_id}/{own}"


def without_slash(correlation_id: str) -> str:
    """An id with an underscore after the session id: names of executions, for example, take no slash."""
    return correlation_id.replace("/", "_", 1)


def with_slash(text: str) -> str:
    """A text in which every id that `without_slash` made, of a session of `new_session_id`, has its slash."""
    return _WITHOUT_SLASH.sub(r"\1/", text)


def session_id_of(correlation_id: str) -> str:
    """The part before the first slash."""
    return correlation_id.partition("/")[0]


def case_id_of(correlation_id: str) -> str:
    """The part after the first slash (it may contain further ones)."""
    return correlation_id.partition("/")[2]
