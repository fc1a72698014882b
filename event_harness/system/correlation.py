"""Correlation ids: `<run_id>/<case_id>`, which tie a result to the input that caused it."""

import ulid

from event_harness.errors import SettingError

ULID = "[0-9A-HJKMNP-TV-Z]{26}"
"""What a fresh case id looks like, as a regular expression."""

UNCORRELATED = "uncorrelated"
"""The run under which the listener files events that carry no correlation id."""


def check_run_id(run_id: str) -> str:
    """Return `run_id` if it can be one: not empty, no slash, no white space, not the reserved name.

    Raises:
        SettingError: It can't.
    """
    if not isinstance(run_id, str) or not run_id or "/" in run_id or run_id.split() != [run_id]:
        raise SettingError(f"run id {run_id!r}: must be a text without '/' and without white space")
    if run_id == UNCORRELATED:
        raise SettingError(
            f"run id {run_id!r}: is reserved for events without a correlation id; take another"
        )
    return run_id


def new_id(run_id: str, own: str | None = None) -> str:
    """A correlation id of this run: around the caller's own id if there is one, otherwise a fresh one.

    An own id may contain slashes, and may already begin with the run id; it must be unique in the run.
    """
    if own is None:
        return f"{run_id}/{ulid.ULID()}"
    return own if run_id_of(own) == run_id and case_id_of(own) else f"{run_id}/{own}"


def run_id_of(correlation_id: str) -> str:
    """The part before the first slash."""
    return correlation_id.partition("/")[0]


def case_id_of(correlation_id: str) -> str:
    """The part after the first slash (it may contain further ones)."""
    return correlation_id.partition("/")[2]
