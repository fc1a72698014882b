"""Short ids that sort by time."""

from ulid import ULID

from event_harness.machine import clock

SHAPE = "[0-9a-hjkmnp-tv-z]{13}"
"""Regular expression for the part of an id after its prefix."""


def fresh_id(prefix: str) -> str:
    """A new id: the prefix, nine characters of a ULID's millisecond clock and four of its random part.

    Args:
        prefix: one letter for the kind of id.

    """
    ulid = str(ULID.from_timestamp(clock.timestamp())).lower()
    return prefix + ulid[1:10] + ulid[-4:]
