"""Joins what logs, results, queues and the journal tell into one timeline per event."""

from collections.abc import Iterable, Mapping, Sequence

from event_harness.results.failure import Failure
from event_harness.results.result import Result
from event_harness.system.resources import ResourceMap
from event_harness.tracing.attribution import Attribution
from event_harness.tracing.invocations import Invocation, Invocations
from event_harness.tracing.journal import Input, Wait
from event_harness.tracing.timeline import Arrival, Attempt, State, Timeline, Visit

LISTENER = "event_listener"


def timelines(
    inputs: Mapping[str, Input],
    resources: ResourceMap,
    attribution: Attribution,
    invocations: Invocations,
    results: Iterable[Result],
    *,
    failures: Sequence[Failure] = (),
    seen: Mapping[str, float] | None = None,
    waits: Sequence[Wait] = (),
) -> list[Timeline]:
    """Join all that is known, event by event, in the order of the sends.

    Args:
        inputs: The inputs by correlation id. A result of another id makes an event of its own.
        resources: The system.
        attribution: Knows all inputs.
        invocations: What the logs tell.
        results: What the results table holds.
        failures: What the failure queues hold.
        seen: Event id -> when the test session read this result.
        waits: The waits of the tests.
    """
    by_input, requests = invocations.by_input(), invocations.by_request(LISTENER)
    came: dict[str, list[Result]] = {}
    for result in results:
        if result.correlation_id:
            came.setdefault(result.correlation_id, []).append(result)
    known = dict(inputs)
    known |= {one: Input(one) for one in came if one not in known}
    failed = _failures_by_input(known, failures, attribution)
    awaited: dict[str, list[int]] = {}
    for number, wait in enumerate(waits):
        for correlation_id in wait.ids:
            awaited.setdefault(correlation_id, []).append(number)
    made = []
    for correlation_id, one in known.items():
        mine = sorted(came.get(correlation_id, ()), key=lambda result: result.first_received_at)
        numbers = awaited.get(correlation_id, [])
        arrivals = tuple(_arrival(result, requests, seen or {}) for result in mine)
        mine_failed = tuple(failed.get(correlation_id, ()))
        made.append(
            Timeline(
                correlation_id=correlation_id,
                test=one.test,
                component=one.component,
                description=one.description,
                size=one.size,
                sent_at=one.sent_at,
                state=_state(correlation_id, arrivals, mine_failed, [waits[number] for number in numbers]),
                visits=_visits(one, resources, by_input, mine),
                arrivals=arrivals,
                failures=mine_failed,
                waits=tuple(numbers),
            )
        )
    return sorted(made, key=_begin)


def _begin(timeline: Timeline) -> float:
    if timeline.sent_at is not None:
        return timeline.sent_at
    return timeline.arrivals[0].received if timeline.arrivals else 0.0


def _visits(
    one: Input,
    resources: ResourceMap,
    by_input: Mapping[tuple[str, str], list[Invocation]],
    results: Sequence[Result],
) -> tuple[Visit, ...]:
    visits = []
    for component in resources.components:
        at: float | None = None
        attempts: tuple[Attempt, ...] = ()
        if component.type == "lambda":
            attempts = tuple(map(attempt, by_input.get((one.correlation_id, component.name), ())))
        elif component.name == one.component:
            at = one.sent_at
        else:
            at = next((time for result in results if (time := _kept(result, component.identifier))), None)
        if component.name == one.component and not attempts:
            at = one.sent_at
        visits.append(Visit(component.name, component.type, at, attempts))
    return tuple(visits)


def _kept(result: Result, resource: str) -> float | None:
    """When a result's event happened in this bucket or topic; None if it was another one or isn't told."""
    where = result.metadata.get("bucket") or result.metadata.get("topic_arn")
    return result.event_time.timestamp() if where == resource and result.event_time else None


def attempt(one: Invocation) -> Attempt:
    """An invocation as an attempt."""
    return Attempt(one.start, one.end, one.request_id, one.error)


def _arrival(result: Result, requests: Mapping[str, list[Invocation]], seen: Mapping[str, float]) -> Arrival:
    ran = requests.get(result.request_id or "", [])
    return Arrival(
        source=result.source,
        event_id=result.event_id,
        event_time=result.event_time.timestamp() if result.event_time else None,
        listener=attempt(ran[-1]) if ran else None,
        received=result.first_received_at.timestamp(),
        last_received=result.received_at.timestamp(),
        deliveries=result.deliveries,
        size=result.size,
        seen=seen.get(result.event_id),
    )


def _state(
    correlation_id: str, arrivals: Sequence[Arrival], failures: Sequence[Failure], waits: Sequence[Wait]
) -> State:
    if failures or any(correlation_id in wait.failed for wait in waits):
        return "failed"
    if arrivals:
        return "arrived"
    if any(wait.method == "expect_none" and wait.outcome == "ok" for wait in waits):
        return "none came"
    if any(correlation_id in wait.missing for wait in waits):
        return "missing"
    return "in flight"


def _failures_by_input(
    known: Mapping[str, Input], failures: Iterable[Failure], inputs: Attribution
) -> dict[str, list[Failure]]:
    found: dict[str, list[Failure]] = {}
    for failure in failures:
        for owner in set().union(*map(inputs.named_in, failure.texts)) & known.keys():
            found.setdefault(owner, []).append(failure)
    return found
