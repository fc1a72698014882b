"""Whether a readiness probe has come through a deployment since its last apply.

Its notifications and subscriptions are live then, and new code of a function changes nothing about that. So a
kept deployment isn't probed again, and a function that fails is told of by the test that it fails in.
"""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from event_harness.machine.cache import write_atomically

_FILE = "ready"


def note(directory: Path, component: str, probe: Any) -> None:
    """Record that this readiness probe has come through.

    Args:
        directory: that of the deployment.
        component: where the probe was sent to.
        probe: its body.
    """
    with contextlib.suppress(OSError):
        write_atomically(directory / _FILE, _digest(component, probe), mode=0o600)


def is_noted(directory: Path, component: str, probe: Any) -> bool:
    """Whether this readiness probe has come through. Another one says nothing of it."""
    try:
        return (directory / _FILE).read_text(encoding="utf-8") == _digest(component, probe)
    except (OSError, ValueError):
        return False


def forget(directory: Path) -> None:
    """The deployment is applied anew: its connections must be seen to work again."""
    (directory / _FILE).unlink(missing_ok=True)


def _digest(component: str, probe: Any) -> str:
    body = probe.hex() if isinstance(probe, bytes) else probe
    told = json.dumps([component, type(probe).__name__, body], sort_keys=True, default=repr)
    return hashlib.sha256(told.encode()).hexdigest()
