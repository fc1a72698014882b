"""Short ids that sort by time."""

from ulid import ULID

SHAPE = "[0-9a-hjkmnp-tv-z]{13}"
"""What follows the prefix of an id, as a regular expression."""


def fresh_id(prefix: str) -> str:
    """A new id: the prefix, nine characters of a ULID's millisecond clock and four of its random part.

    Args:
        prefix: One letter, which says what the id is of.
    """
    ulid = str(ULID()).lower()
    return prefix + ulid[1:10] + ulid[-4:]
