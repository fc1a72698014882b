"""What pytest and the deployment tell of a session and its tests."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class TestFacts:
    """One test, as pytest tells it. Times in seconds."""

    __test__ = False  # pytest takes it for a test otherwise

    id: str
    outcome: str
    duration: float
    error: str = ""
    worker: str = ""


@dataclass
class SessionFacts:
    """The session itself. `durations` holds set_up, apply, tests and destroy; None where it isn't known."""

    outcome: str
    started_at: float
    ended_at: float
    target: str
    region: str = ""
    deployment_id: str = ""
    sla: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    durations: dict[str, float | None] = field(default_factory=dict)


def durations(record: Any, began: float | None, ended: float | None) -> dict[str, float | None]:
    """How long set-up, apply, tests and destroy took.

    Args:
        record: The record of the deployment; None if nothing was deployed.
        began: When the first test began, epoch seconds.
        ended: When the last one ended.
    """
    stages: dict[str, float] = record.stages if record is not None else {}
    created = record.created_at.timestamp() if record is not None else None
    return {
        "set_up": _between(created, stages.get("apply")),
        "apply": _between(stages.get("apply"), stages.get("applied")),
        "tests": _between(began, ended),
        "destroy": _between(stages.get("destroy"), stages.get("destroyed")),
    }


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else round(max(0.0, end - begin), 3)
