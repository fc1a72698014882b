"""Marks of a deployment: its id, the tags of its resources, the variable of its processes."""

import re

from event_harness.machine.ids import SHAPE, fresh_id

# Every process that a deployment starts carries its id here, so that what outlives it can be found and ended.
PROCESS_MARK = "EVENT_HARNESS_DEPLOYMENT"
TAG_DEPLOYMENT, TAG_OWNER, TAG_EXPIRES = (
    "event-harness:deployment",
    "event-harness:owner",
    "event-harness:expires",
)
EXPIRES_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# The shape of what `new_deployment_id` makes. Nothing else is taken for a deployment id: an empty or short one
# would be part of anybody's names.
DEPLOYMENT_ID = f"d{SHAPE}"
# As a word; 26 digits may follow, which the provider puts behind a `bucket_prefix`.
_DEPLOYMENT_ID_IN_A_NAME = re.compile(rf"(?<![0-9A-Za-z]){DEPLOYMENT_ID}(?=\d{{26}}$|$|[^0-9A-Za-z])")


def new_deployment_id() -> str:
    """A fresh deployment id: it sorts by time, and is short enough for every resource's name."""
    return fresh_id("d")


def is_deployment_id(text: str) -> bool:
    """Whether `new_deployment_id` may have made it."""
    return re.fullmatch(DEPLOYMENT_ID, text) is not None


def deployment_ids_in(name: str) -> set[str]:
    """The deployment ids that stand in a name for themselves, not as a part of a longer word."""
    return set(_DEPLOYMENT_ID_IN_A_NAME.findall(name))
