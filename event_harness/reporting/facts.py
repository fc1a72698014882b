"""The facts of a test session as one document: everything that its reports tell."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from event_harness.reporting import cost
from event_harness.reporting.evidence import Evidence
from event_harness.reporting.session_facts import SessionFacts, TestFacts
from event_harness.reporting.statistics import summarized
from event_harness.tracing.joining import LISTENER
from event_harness.tracing.timeline import Attempt, Timeline

SCHEMA_VERSION = 1
_LINES = 60  # log lines of one event
_TEXT = 400  # characters of one log line
_ALL_LINES = 1_200_000  # characters of all log lines: a page must stay small
_BODY = 4096  # characters of one body


def build(
    session: SessionFacts,
    tests: Sequence[TestFacts],
    evidence: Evidence,
    history: Sequence[Mapping[str, Any]] = (),
    problems: Sequence[str] = (),
) -> dict[str, Any]:
    """The document; docs/report.md and the schema beside this module describe it.

    Args:
        session: The session.
        tests: Its tests, in the order in which they ended.
        evidence: What is known of its events.
        history: The entries of earlier sessions, the oldest first.
        problems: What could not be found out.
    """
    by_test: dict[str, list[Timeline]] = {}
    for event in evidence.events:
        by_test.setdefault(event.test, []).append(event)
    slas: dict[str, list[float]] = {}
    for wait in evidence.waits:
        slas.setdefault(wait.test, []).append(wait.sla)
    states = Counter(event.state for event in evidence.events)
    outcomes = Counter(test.outcome for test in tests)
    use = cost.used(evidence.events, evidence.invocations, evidence.queries)
    return {
        "schema_version": SCHEMA_VERSION,
        "session": asdict(session),
        "problems": [*problems, *evidence.problems],
        "components": evidence.components,
        "sources": evidence.sources,
        "totals": {
            "tests": len(tests),
            "passed_tests": outcomes["passed"],
            "failed_tests": outcomes["failed"] + outcomes["error"],
            "skipped_tests": outcomes["skipped"],
            "events": len(evidence.events),
            "arrived": states["arrived"],
            "failed": states["failed"],
            "missing": states["missing"],
            "none_came": states["none came"],
            "in_flight": states["in flight"],
            "duplicates": sum(event.duplicates for event in evidence.events),
        },
        "tests": [_test(one, by_test.get(one.id, []), slas.get(one.id, []), session.sla) for one in tests],
        "events": _events(evidence),
        "waits": [asdict(wait) for wait in evidence.waits],
        "latency": {
            "events": summarized(event.latency for event in evidence.events),
            "components": _by_component(evidence),
        },
        "cost": cost.bill(use),
        "history": [dict(one) for one in history],
    }


def _test(one: TestFacts, events: Sequence[Timeline], slas: Sequence[float], sla: float) -> dict[str, Any]:
    return {
        **asdict(one),
        "sla": max(slas, default=sla),
        "events": len(events),
        "arrived": sum(bool(event.arrivals) for event in events),
        "duplicates": sum(event.duplicates for event in events),
        "latency": summarized(event.latency for event in events),
    }


def _by_component(evidence: Evidence) -> list[dict[str, Any]]:
    """How long the invocations of each function took."""
    took: dict[str, list[float]] = {}
    for event in evidence.events:
        for visit in event.visits:
            took.setdefault(visit.component, []).extend(_spans(visit.attempts))
        ran = [one.listener for one in event.arrivals if one.listener]
        took.setdefault(LISTENER, []).extend(_spans(ran))
    told = ((name, summarized(spans)) for name, spans in took.items())
    return [{"name": name, "latency": latency} for name, latency in told if latency]


def _spans(attempts: Sequence[Attempt]) -> list[float]:
    return [
        max(0.0, one.end - one.start) for one in attempts if one.start is not None and one.end is not None
    ]


def _events(evidence: Evidence) -> list[dict[str, Any]]:
    """The events with their log lines; those that did not arrive keep theirs first."""
    lines: dict[str, list[tuple[str, Any]]] = {}
    for one in evidence.invocations:
        for correlation_id in one.ids:
            lines.setdefault(correlation_id, []).extend((one.component, line) for line in one.lines)
    left = _ALL_LINES
    told: dict[str, list[list[Any]]] = {}
    for event in sorted(evidence.events, key=lambda event: event.state == "arrived"):
        mine = sorted(lines.get(event.correlation_id, ()), key=lambda pair: pair[1].at)[-_LINES:]
        shown = [
            [round(line.at.timestamp(), 3), name, line.text[:_TEXT], line.is_error] for name, line in mine
        ]
        size = sum(len(line[2]) for line in shown)
        told[event.correlation_id] = shown if size <= left else []
        left -= size if size <= left else 0
    made = []
    for event in evidence.events:
        fields = event.to_dict() | {"waits": list(event.waits), "log": told[event.correlation_id]}
        body = evidence.inputs[event.correlation_id].body if event.correlation_id in evidence.inputs else None
        if body is not None:
            fields["body"] = _text(body)
        for result in fields["results"]:
            if result["event_id"] in evidence.bodies:
                result["body"] = _text(evidence.bodies[result["event_id"]])
        made.append(fields)
    return made


def _text(body: bytes) -> str:
    """A body as text; bytes that aren't UTF-8 are shown as escapes."""
    return body.decode("utf-8", errors="backslashreplace")[:_BODY]
