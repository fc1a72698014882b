"""Spans: the OpenTelemetry packages read what is written."""

import base64
import copy

import made_up
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from event_harness.reporting.otlp import spans


def loaded(facts):
    """The spans as the protocol's own classes. OTLP writes ids in hex, where protobuf's JSON has base64."""
    document = copy.deepcopy(spans(facts))
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    request = json_format.ParseDict(document, ExportTraceServiceRequest())
    return request.resource_spans[0].scope_spans[0].spans


def test_an_event_is_a_trace_with_a_span_for_each_invocation():
    facts = made_up.session(tests=10, events=20)
    found = loaded(facts)
    roots = [span for span in found if not span.parent_span_id]
    assert len(roots) == 20
    assert len({span.trace_id for span in roots}) == 20
    assert all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in found)
    assert len({span.span_id for span in found}) == len(found)
    event = next(one for one in facts["events"] if one["state"] == "arrived")
    root = next(span for span in roots if attribute(span, "event_harness.correlation_id") == event["id"])
    children = [span for span in found if span.parent_span_id == root.span_id]
    assert [span.name for span in children] == ["price_order", "event_listener"]
    attempt = event["components"][1]["attempts"][0]
    assert children[0].start_time_unix_nano == round(attempt["start"] * 1e6) * 1000
    assert children[0].end_time_unix_nano == round(attempt["end"] * 1e6) * 1000
    assert children[0].kind == Span.SPAN_KIND_CONSUMER
    assert root.start_time_unix_nano <= children[0].start_time_unix_nano
    assert root.end_time_unix_nano >= children[-1].end_time_unix_nano
    assert root.events[0].name == "result from confirmed"


def test_a_failed_event_has_the_status_error_in_each_attempt():
    found = loaded(made_up.session(tests=10, events=20))
    failed = [span for span in found if span.status.code == Status.STATUS_CODE_ERROR]
    assert [span.name for span in failed] == ["event to orders", *["price_order"] * 3]
    assert failed[1].status.message.startswith("ValueError")


def test_what_was_not_sent_has_no_span():
    facts = made_up.session(tests=1, events=2)
    facts["events"][0]["sent_at"] = None
    assert [span.name for span in loaded(facts)].count("event to orders") == 1


@pytest.mark.parametrize("missing", ["start", "end"])
def test_attempt_without_both_of_its_times_has_no_span(missing):
    facts = made_up.session(tests=1, events=2)
    attempts = facts["events"][1]["components"][1]["attempts"]
    before = [span.name for span in loaded(facts)].count("price_order")
    attempts[0][missing] = None
    assert [span.name for span in loaded(facts)].count("price_order") == before - 1


def attribute(span, name):
    return next(one.value.string_value for one in span.attributes if one.key == name)
