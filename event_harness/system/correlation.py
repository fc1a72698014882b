"""Correlation ids: `<session_id>/<case_id>`, which tie a result to the input that caused it."""

import ulid

from event_harness.errors import SettingError
from event_harness.machine.ids import SHAPE, fresh_id

ULID = "[0-9A-HJKMNP-TV-Z]{26}"
"""What a fresh case id looks like, as a regular expression."""

SESSION_ID = f"s{SHAPE}"
"""What `new_session_id` makes, as a regular expression."""

UNCORRELATED = "uncorrelated"
"""The run under which the listener files events that carry no correlation id."""


def new_session_id() -> str:
    """A fresh test session id; it sorts by time."""
    return fresh_id("s")


def check_session_id(session_id: str) -> str:
    """Return `session_id` if it can be one: not empty, no slash, no white space, not the reserved name.

    Raises:
        SettingError: It can't.
    """
    if (
        not isinstance(session_id, str)
        or not session_id
        or "/" in session_id
        or session_id.split() != [session_id]
    ):
        raise SettingError(f"run id {session_id!r}: must be a text without '/' and without white space")
    if session_id == UNCORRELATED:
        raise SettingError(
            f"run id {session_id!r}: is reserved for events without a correlation id; take another"
        )
    return session_id


def new_id(session_id: str, own: str | None = None) -> str:
    """A correlation id of this run: around the caller's own id if there is one, otherwise a fresh one.

    An own id may contain slashes, and may already begin with the run id; it must be unique in the run.
    """
    if own is None:
        return f"{session_id}/{ulid.ULID()}"
    return own if session_id_of(own) == session_id and case_id_of(own) else f"{session_id}/{own}"


def session_id_of(correlation_id: str) -> str:
    """The part before the first slash."""
    return correlation_id.partition("/")[0]


def case_id_of(correlation_id: str) -> str:
    """The part after the first slash (it may contain further ones)."""
    return correlation_id.partition("/")[2]
