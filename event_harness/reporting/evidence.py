"""Gathers what a report tells of events, before the deployment is destroyed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from event_harness.aws.errors import AWS_ERRORS
from event_harness.errors import HarnessError
from event_harness.machine.clock import monotonic
from event_harness.results.result import Result
from event_harness.system.deployed_system import DeployedSystem
from event_harness.tracing.follower import Follower
from event_harness.tracing.invocations import Invocation
from event_harness.tracing.journal import BODY, Input, Wait
from event_harness.tracing.timeline import Timeline

BUDGET = 20.0
"""Seconds for reading logs at the end of a session. What is not read by then is named."""
INTERRUPTED = 5.0
"""The same after Ctrl-C."""
_BODIES = 500  # results whose content is fetched


@dataclass
class Evidence:
    """What is known of a session's events.

    Attributes:
        components: Name and type of each component, in order.
        sources: The listener's sources.
        events: The timelines.
        waits: The waits; timelines refer to them by number.
        invocations: All invocations since the session began that the logs tell of.
        inputs: The inputs by id.
        bodies: Contents of results by event id, if they were asked for.
        queries: How often the tests have queried the results table.
        problems: What could not be read.
    """

    components: list[dict[str, str]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    events: list[Timeline] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    inputs: dict[str, Input] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    queries: int = 0
    problems: list[str] = field(default_factory=list)

    def lines_of(self, correlation_id: str) -> list[tuple[str, Any]]:
        """The log lines of the invocations for an event, each with its component, in order of time."""
        mine = (one for one in self.invocations if correlation_id in one.ids)
        return sorted(
            ((one.component, line) for one in mine for line in one.lines), key=lambda pair: pair[1].at
        )


def gather(
    system: DeployedSystem,
    directory: Path,
    group: str,
    since: float,
    *,
    bodies: bool = False,
    budget: float = BUDGET,
    clock: Callable[[], float] = monotonic,
) -> Evidence:
    """Read the journal, the results, the logs and the failure queues. It never raises for what it can't read.

    Args:
        system: The deployed system.
        directory: The directory of its journal.
        group: The pytest session whose events are wanted; others may use the same deployment.
        since: Epoch seconds. Older log lines are not read.
        bodies: Fetch contents of results.
        budget: Seconds.
        clock: Seconds, monotonic.
    """
    deadline = clock() + budget
    evidence = Evidence(
        components=[{"name": one.name, "type": one.type} for one in system.resources.components],
        sources=list(system.resources.sources),
    )
    follower = Follower(system, directory, since, group=group)
    try:
        follower.look(deadline)
        follower.look_into_queues()
        evidence.events = follower.look(deadline, logs=False)
    except (HarnessError, *AWS_ERRORS) as error:
        evidence.problems.append(f"events could not be read: {error}")
    recorded = follower.recorded
    evidence.waits, evidence.inputs = recorded.waits, recorded.inputs
    evidence.queries = sum(recorded.queries.values())
    # The emulator's log tells of earlier sessions with the same deployment, too.
    begin = since - system.target.skew
    evidence.invocations = [one for one in follower.tracer.invocations.all if _is_since(one, begin)]
    if follower.problem:
        evidence.problems.append(f"the results could not be read: {follower.problem}")
    evidence.problems += [f"log of {name}: {why}" for name, why in follower.tracer.problems.items()]
    evidence.problems += [f"failure queue {url}: {why}" for url, why in follower.failures.errors.items()]
    if bodies:
        evidence.bodies = _bodies(follower.results(), deadline, clock)
    return evidence


def _is_since(one: Invocation, begin: float) -> bool:
    at = one.end if one.end is not None else one.start
    return at is None or at >= begin


def _bodies(results: Iterable[Result], deadline: float, clock: Callable[[], float]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for result in results:
        if len(found) >= _BODIES or clock() >= deadline:
            break
        if result.size > BODY:
            continue
        try:
            found[result.event_id] = result.body
        except (HarnessError, *AWS_ERRORS):
            continue
    return found
