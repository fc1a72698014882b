"""The ways of events as OpenTelemetry spans, in OTLP's JSON encoding."""

import hashlib
from collections.abc import Mapping
from typing import Any

_PRODUCER, _CONSUMER = 4, 5
_OK, _ERROR = 1, 2


def spans(facts: Mapping[str, Any]) -> dict[str, Any]:
    """One trace per event: the event, each invocation for it, and the listener's.

    Only what has both a begin and an end becomes a span. Ids are derived from the correlation id, so the same
    event has the same trace id in every export.
    """
    version = str(facts["session"]["versions"].get("event-harness", ""))
    resource = {"service.name": "event-harness", "service.version": version}
    resource |= {"event_harness.target": facts["session"]["target"]}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [
                    {
                        "scope": {"name": "event_harness", "version": version},
                        "spans": [span for event in facts["events"] for span in _of(event)],
                    }
                ],
            }
        ]
    }


def _of(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    began = event["sent_at"]
    if began is None:
        return []
    trace, root = _hash(event["id"], 32), _hash(f"{event['id']} event", 16)
    made = []
    ends = [began]
    for component in event["components"]:
        for number, attempt in enumerate(component["attempts"], 1):
            ends += [time for time in (attempt["start"], attempt["end"]) if time is not None]
            made.append(_attempt(trace, root, component["name"], number, attempt))
    for number, result in enumerate(event["results"], 1):
        ends.append(result["received_at"])
        if result["listener"]:
            ends += [time for time in (result["listener"]["end"],) if time is not None]
            made.append(_attempt(trace, root, "event_listener", number, result["listener"]))
    attributes = {
        "event_harness.correlation_id": event["id"],
        "event_harness.test": event["test"],
        "event_harness.state": event["state"],
        "event_harness.bytes": event["bytes"],
        "event_harness.duplicates": event["duplicates"],
    }
    failed = event["state"] in ("failed", "missing")
    whole = _span(
        trace, root, "", f"event to {event['sent_to']}", _PRODUCER, began, max(ends), attributes, failed
    )
    whole["events"] = [
        {"timeUnixNano": _nanoseconds(one["received_at"]), "name": f"result from {one['source']}"}
        for one in event["results"]
    ]
    return [whole, *(one for one in made if one is not None)]


def _attempt(
    trace: str, root: str, component: str, number: int, attempt: Mapping[str, Any]
) -> dict[str, Any] | None:
    if attempt["start"] is None or attempt["end"] is None:
        return None
    own = _hash(f"{trace} {component} {number}", 16)
    attributes = {
        "faas.name": component,
        "faas.invocation_id": attempt["request_id"],
        "event_harness.attempt": number,
    }
    error = attempt["error"]
    made = _span(
        trace, own, root, component, _CONSUMER, attempt["start"], attempt["end"], attributes, bool(error)
    )
    if error:
        made["status"]["message"] = error
    return made


def _span(
    trace: str,
    own: str,
    parent: str,
    name: str,
    kind: int,
    start: float,
    end: float,
    attributes: Mapping[str, Any],
    failed: bool,
) -> dict[str, Any]:
    return {
        "traceId": trace,
        "spanId": own,
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": _nanoseconds(start),
        "endTimeUnixNano": _nanoseconds(max(start, end)),
        "attributes": _attributes(attributes),
        "status": {"code": _ERROR if failed else _OK},
    }


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)},
        }
        for key, value in values.items()
        if value not in (None, "")
    ]


def _nanoseconds(seconds: float) -> str:
    return str(round(seconds * 1_000_000) * 1000)


def _hash(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
