"""A bucket that our emulator makes functions from: a key in it is the path of a file on this machine.

hashicorp/aws makes functions from `filename` one after another, and waits 5 s for each. From an object in a
bucket it makes them at the same time. The bucket doesn't exist, nothing is uploaded, and no state names it as
a resource: the emulator's front reads the file itself.
"""

import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:  # the front must not wait for boto3
    from event_harness.aws.targets import Target

BUCKET = "event-harness-files"
PATH = "/_event_harness/code"
"""Where the front says that it knows the bucket; one of an older release refuses this path."""


def is_known_to(target: "Target") -> bool:
    """Whether a target is an emulator of ours whose front knows the bucket."""
    if not (target.emulator_log and target.endpoint_url):
        return False
    url = urlsplit(target.endpoint_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    try:
        connection.request("GET", PATH)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
