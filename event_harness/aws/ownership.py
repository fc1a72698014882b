"""Marks of a deployment: its id, the tags of its resources, the variable of its processes."""

import re

from ulid import ULID

# Every process that a run starts carries its id here, so that what outlives it can be found and ended.
PROCESS_MARK = "EVENT_HARNESS_RUN"
TAG_RUN, TAG_OWNER, TAG_EXPIRES = "event-harness:run", "event-harness:owner", "event-harness:expires"
EXPIRES_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# The shape of what `new_run_id` makes. Nothing else is taken for a run id: an empty or short one would be
# part of anybody's names.
RUN_ID = "r[0-9a-hjkmnp-tv-z]{13}"
# As a word; 26 digits may follow, which the provider puts behind a `bucket_prefix`.
_RUN_ID_IN_A_NAME = re.compile(rf"(?<![0-9A-Za-z]){RUN_ID}(?=\d{{26}}$|$|[^0-9A-Za-z])")


def new_run_id() -> str:
    """A fresh run id: sorts by time, and is short enough to stand in every resource's name.

    Nine characters of a ULID's millisecond clock and four of its random part.
    """
    ulid = str(ULID()).lower()
    return "r" + ulid[1:10] + ulid[-4:]


def is_run_id(text: str) -> bool:
    """Whether `new_run_id` may have made it."""
    return re.fullmatch(RUN_ID, text) is not None


def run_ids_in(name: str) -> set[str]:
    """The run ids that stand in a name for themselves, not as a part of a longer word."""
    return set(_RUN_ID_IN_A_NAME.findall(name))
