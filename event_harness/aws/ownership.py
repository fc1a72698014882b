"""What marks a deployment: its id, the tags of its resources, a variable of its processes."""

import re

from event_harness.machine.ids import SHAPE, fresh_id

# Every process that a deployment starts has the deployment id in this environment variable. A sweep finds
# processes that outlive their deployment by it.
PROCESS_MARK = "EVENT_HARNESS_DEPLOYMENT"
TAG_DEPLOYMENT, TAG_OWNER, TAG_EXPIRES = (
    "event-harness:deployment",
    "event-harness:owner",
    "event-harness:expires",
)
EXPIRES_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# The shape of an id that `new_deployment_id` makes. Other text is no deployment id: a short one could be
# part of a name that is not ours.
DEPLOYMENT_ID = f"d{SHAPE}"
# The id stands alone in the name. 26 digits may follow: the provider puts them behind a `bucket_prefix`.
_DEPLOYMENT_ID_IN_A_NAME = re.compile(rf"(?<![0-9A-Za-z]){DEPLOYMENT_ID}(?=\d{{26}}$|$|[^0-9A-Za-z])")


def new_deployment_id() -> str:
    """A new deployment id. Ids sort by time and are short enough for the name of any resource."""
    return fresh_id("d")


def is_deployment_id(text: str) -> bool:
    """Whether the text has the shape of a deployment id."""
    return re.fullmatch(DEPLOYMENT_ID, text) is not None


def deployment_ids_in(name: str) -> set[str]:
    """The deployment ids in a resource's name. An id that is part of a longer word does not count."""
    return set(_DEPLOYMENT_ID_IN_A_NAME.findall(name))
