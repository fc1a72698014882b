"""Adds the version of an object to the events that MiniStack's S3 sends to EventBridge.

MiniStack 1.5.33 names it in notifications only. `tests/integration/test_emulated_deliveries.py` fails as
soon as it names it in both: delete this module then.
"""

import contextvars
import functools
import json
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge, s3

_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("version", default=None)


def install() -> None:
    """Change MiniStack's S3 and EventBridge."""
    s3._fire_s3_event = firing(s3._fire_s3_event)
    eventbridge._dispatch_event = dispatching(eventbridge._dispatch_event)


def firing(fire: Callable[..., None]) -> Callable[..., None]:
    """Remember the version of the object that an event is about."""

    @functools.wraps(fire)
    def fired(*args: Any, version_id: str | None = None, **kwargs: Any) -> None:
        """Send the notifications and the event of an object."""
        token = _version.set(version_id)
        try:
            fire(*args, version_id=version_id, **kwargs)
        finally:
            _version.reset(token)

    return fired


def dispatching(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    """Add the version to the event of an object."""

    @functools.wraps(dispatch)
    def dispatched(event: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Give an event to the rules of its bus."""
        version = _version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *args, **kwargs)

    return dispatched
