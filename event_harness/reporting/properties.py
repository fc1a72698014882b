"""The facts of a test and of a session as pairs of name and value, for JUnit's report."""

from collections.abc import Callable, Mapping
from typing import Any

from event_harness.reporting.statistics import summarized
from event_harness.results.result import Result
from event_harness.tracing.journal import Recorded

_PREFIX = "event_harness."


def of_test(
    test: str, recorded: Recorded, results_of: Callable[[str], list[Result]]
) -> list[tuple[str, str]]:
    """What is known of a test's events when it ends; nothing if it has sent and awaited nothing.

    Args:
        test: Its node id.
        recorded: What this process has sent, seen and awaited.
        results_of: Returns the results of an input that have been read.
    """
    inputs = [one for one in recorded.inputs.values() if one.test == test]
    waits = [one for one in recorded.waits if one.test == test]
    if not inputs and not waits:
        return []
    results = {one.correlation_id: results_of(one.correlation_id) for one in inputs}
    first = {key: min(one.first_received_at for one in found) for key, found in results.items() if found}
    latency = summarized(
        max(0.0, first[one.correlation_id].timestamp() - one.sent_at)
        for one in inputs
        if one.correlation_id in first and one.sent_at is not None
    )
    facts: dict[str, Any] = {
        "events": len(inputs),
        "arrived": len(first),
        "missing": len({key for wait in waits for key in wait.missing}),
        "failed": len({key for wait in waits for key in wait.failed}),
        "duplicates": sum(_duplicates(found) for found in results.values()),
        "sla": max((wait.sla for wait in waits), default=None),
        "waits": "; ".join(
            f"{one.method}: {one.outcome} after {one.ended - one.began:.3f} s" for one in waits
        ),
    }
    facts |= {f"latency.{name}": value for name, value in (latency or {}).items()}
    return _named(facts)


def of_session(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The facts of the session that are known before the deployment is destroyed."""
    session = facts["session"]
    told: dict[str, Any] = {name: session[name] for name in ("target", "region", "deployment_id", "sla")}
    told |= {f"version.{name}": value for name, value in session["versions"].items()}
    told |= {f"duration.{name}": value for name, value in session["durations"].items()}
    told |= {f"total.{name}": value for name, value in facts["totals"].items()}
    told |= {f"latency.{name}": value for name, value in (facts["latency"]["events"] or {}).items()}
    for one in facts["latency"]["components"]:
        told |= {f"component.{one['name']}.{name}": value for name, value in one["latency"].items()}
    told["cost.dollars"] = f"{facts['cost']['dollars']:.6f}"
    return _named(told)


def _named(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(_PREFIX + name, str(value)) for name, value in facts.items() if value not in (None, "")]


def _duplicates(found: list[Result]) -> int:
    again = sum(one.deliveries - 1 for one in found)
    return again + len(found) - len({one.source for one in found})
