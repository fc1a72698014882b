"""The reports of a session that sends events, from several processes."""

import base64
import gzip
import json
import re

import pytest
from google.protobuf import json_format
from junitparser import JUnitXml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from projects import Project

TESTS = """
def test_text_comes_back(producer, listener):
    assert listener.wait_for(producer.send("one secret")).text == "ONE SECRET"

def test_many_come_back(producer, listener):
    assert not listener.collect(producer.send_many(["two", "three"])).missing

def test_bytes_come_back(producer, listener):
    listener.wait_for(producer.send(b"\\xff"), timeout=300)
"""


@pytest.fixture(scope="module")
def reports(deployment, tmp_path_factory):
    """The directory of the reports of one session with two workers."""
    directory = tmp_path_factory.mktemp("reports")
    target = deployment.target
    project = Project(
        directory / "project",
        TESTS,
        EVENT_HARNESS_TARGET=target.endpoint_url,
        AWS_REGION=target.region,
        PYTEST_ADDOPTS="",  # with pytest-html
        GITHUB_STEP_SUMMARY=str(directory / "summary.md"),
    )
    (project.directory / "map.json").write_text(json.dumps(deployment.outputs["event_harness"]))
    project.run(
        "-n2",
        "--harness-resources=map.json",
        "--harness-readiness=off",
        f"--harness-report={directory}",
        f"--harness-otlp={directory}/spans.json",
        f"--junitxml={directory}/junit.xml",
        f"--html={directory}/tests.html",
        "--self-contained-html",
        fails=True,
    )
    return directory


def test_events_of_all_workers_are_in_the_report(reports):
    facts = json.loads((reports / "report.json").read_text())
    totals = facts["totals"]
    assert (totals["tests"], totals["passed_tests"], totals["failed_tests"]) == (3, 2, 1)
    assert (totals["events"], totals["arrived"], totals["failed"]) == (4, 3, 1)
    assert len({test["worker"] for test in facts["tests"]}) == 2
    failed = next(event for event in facts["events"] if event["state"] == "failed")
    assert failed["test"] == "test_letters.py::test_bytes_come_back"
    assert len(failed["components"][1]["attempts"]) == 3
    assert failed["failures"][0]["component"] == "text_processor"
    assert "NotUtf8Error" in facts["waits"][failed["waits"][0]]["explanation"]
    arrived = next(event for event in facts["events"] if event["state"] == "arrived")
    attempt, result = arrived["components"][1]["attempts"][0], arrived["results"][0]
    times = [arrived["sent_at"], attempt["start"], result["event_time"], result["received_at"]]
    assert times == sorted(times)
    assert result["seen_at"] >= result["received_at"]
    assert facts["cost"]["dollars"] > 0
    assert facts["problems"] == []


def test_contents_are_in_no_report_unless_asked_for(reports):
    for name in ("report.json", "index.html", "spans.json", "junit.xml", "tests.html", "summary.md"):
        text = (reports / name).read_text()
        assert "one secret" not in text.lower(), name
    packed = re.search(r'id="facts">([^<]+)<', (reports / "index.html").read_text())[1]
    facts = gzip.decompress(base64.b64decode(packed)).decode()
    assert '"sent_to"' in facts
    assert "one secret" not in facts.lower()


def test_junit_has_the_facts_as_properties(reports):
    (suite,) = JUnitXml.fromfile(str(reports / "junit.xml"))
    session = {one.name: one.value for one in suite.properties()}
    assert session["event_harness.total.events"] == "4"
    assert float(session["event_harness.latency.p95"]) > 0
    cases = {
        case.name: {one.get("name"): one.get("value") for one in case._elem.iter("property")}
        for case in suite
    }
    many = cases["test_many_come_back"]
    assert (many["event_harness.events"], many["event_harness.arrived"]) == ("2", "2")
    assert many["event_harness.waits"].startswith("collect: ok after ")
    assert cases["test_bytes_come_back"]["event_harness.failed"] == "1"


def test_summary_html_and_spans_tell_of_the_failure(reports):
    assert "| 2 of 3 passed | 4 | 3 |" in (reports / "summary.md").read_text()
    assert "wait_for: InputFailedError after " in (reports / "tests.html").read_text()
    document = json.loads((reports / "spans.json").read_text())
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert len({span["traceId"] for span in spans}) == 4
    for span in spans:
        for name in ("traceId", "spanId", "parentSpanId"):
            span.pop(name, None)  # hex, which protobuf's own JSON doesn't know
    assert json_format.ParseDict(document, ExportTraceServiceRequest()).resource_spans
