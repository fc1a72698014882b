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


def durations(
    record: Any, began: float | None, ended: float | None, since: float = 0.0
) -> dict[str, float | None]:
    """How long set-up, apply, tests and destroy took. The first test deploys; that is not the tests' time.

    Args:
        record: The record of the deployment; None if there is none.
        began: When the first test began, epoch seconds.
        ended: When the last one ended.
        since: When the session began: what a reused deployment has done before is not its own.
    """
    known: dict[str, float] = {}
    if record is not None:
        known = {"created": record.created_at.timestamp(), **record.stages}
    # The record tells its creation in whole seconds.
    own = {stage: at for stage, at in known.items() if at >= int(since)}
    deploying = own.get("created", own.get("apply"))
    deployed = own.get("applied", own.get("destroyed", ended))
    tests = _between(began, ended)
    if tests is not None and deploying is not None and began is not None and ended is not None:
        other = min(deployed or ended, ended) - max(deploying, began)
        tests = round(max(0.0, tests - max(0.0, other)), 3)
    return {
        "set_up": _between(own.get("created"), own.get("apply")),
        "apply": _between(own.get("apply"), own.get("applied")),
        "tests": tests,
        "destroy": _between(own.get("destroy"), own.get("destroyed")),
    }


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else round(max(0.0, end - begin), 3)
