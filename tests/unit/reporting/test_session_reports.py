"""The reports of sessions that deploy nothing: the plugin writes them whatever happens."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from event_harness.deployments import session as sessions
from event_harness.errors import DeploymentError
from event_harness.reporting import page as pages

pytest_plugins = ["pytester"]

TESTS = """
import pytest

def test_passes(): pass
def test_fails(): assert 1 == 2, "one is\\x1b[31m not two"
def test_skips(): pytest.skip("not now")
@pytest.mark.xfail
def test_is_known_to_fail(): assert False
@pytest.fixture
def broken(): raise ValueError("broken")
def test_errors(broken): pass
"""


@pytest.fixture
def run(pytester, monkeypatch):
    for name in ("GITHUB_STEP_SUMMARY", "EVENT_HARNESS_REPORT", "EVENT_HARNESS_OTLP"):
        monkeypatch.delenv(name, raising=False)

    def session(tests, *arguments):
        pytester.makepyfile(test_it=tests)
        usual = ("-p", "no:cacheprovider", "-p", "no:xdist")
        done = pytester.runpytest_inprocess(*usual, *arguments, no_reraise_ctrlc=True)
        return done, pytester.path

    return session


def facts_in(directory):
    return json.loads((directory / "report" / "report.json").read_text())


def test_each_test_is_in_the_report_with_its_outcome(run):
    done, directory = run(TESTS, "--harness-report=report")
    facts = facts_in(directory)
    outcomes = {test["id"].partition("::")[2]: test["outcome"] for test in facts["tests"]}
    assert outcomes == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_skips": "skipped",
        "test_is_known_to_fail": "xfailed",
        "test_errors": "error",
    }
    assert facts["session"]["outcome"] == "failed"
    assert facts["totals"]["failed_tests"] == 2
    errors = {test["id"].partition("::")[2]: test["error"] for test in facts["tests"]}
    assert errors["test_errors"] == "ValueError: broken"
    page = (directory / "report" / "index.html").read_text()
    assert "test_it.py::" in page
    assert f"event-harness: report: {directory / 'report' / 'index.html'}" in done.stdout.str()


def test_a_deployment_that_failed_is_the_outcome(run):
    _, directory = run(
        "def test_it(deployment): pass", "--harness-report=report", "--harness-resources=nowhere.json"
    )
    facts = facts_in(directory)
    assert facts["session"]["outcome"] == "deployment failed"
    assert facts["tests"][0]["outcome"] == "error"
    assert "nowhere.json" in facts["tests"][0]["error"]


def test_an_interrupted_session_has_a_report(run):
    _, directory = run(
        "def test_passes(): pass\ndef test_it(): raise KeyboardInterrupt", "--harness-report=report"
    )
    facts = facts_in(directory)
    assert facts["session"]["outcome"] == "interrupted"
    assert [test["outcome"] for test in facts["tests"]] == ["passed", "interrupted"]


def test_a_directory_that_cannot_be_written_is_said_in_one_line(run):
    done, _ = run("def test_it(): open('report', 'w').close()", "--harness-report=report")
    assert "the report could not be written: report is" in done.stdout.str()
    assert done.ret == 0


def test_nothing_is_written_where_nothing_is_asked_for(run):
    _, directory = run("def test_it(): pass", "--junitxml=junit.xml")
    names = {path.name for path in directory.iterdir()} - {"__pycache__"}
    assert names == {"junit.xml", "test_it.py"}


def test_spans_are_written_beside_the_report(run):
    _, directory = run("def test_it(): pass", "--harness-otlp=out/spans.json")
    spans = json.loads((directory / "out" / "spans.json").read_text())
    assert spans["resourceSpans"][0]["scopeSpans"][0]["spans"] == []


@pytest.mark.parametrize("columns", ["60", "200"])
def test_a_set_up_that_failed_has_its_whole_message(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    _, directory = run(
        """
        import pytest
        from event_harness.errors import InputFailedError, MissingPermissionError
        from event_harness.explaining.report import Finding, Report
        from event_harness.fixtures import plain_errors

        @pytest.fixture
        def lacking():
            with plain_errors():
                raise MissingPermissionError("the system lacks a permission:\\n  one\\n  two")

        @pytest.fixture
        def unready():
            cause = "orders failed: " + "long " * 60 + "cause"
            report = Report(cause, (Finding("orders", "failed", "<b>why"),))
            with plain_errors():
                error = InputFailedError("\\n".join(report.headline()))
                error.report, error.uncut = report, cause + "\\nwaited 3 s"
                raise error

        def test_lacks(lacking): pass
        def test_unready(unready): pass
        """,
        "--harness-report=report",
    )
    lacks, unready = (test["error"] for test in facts_in(directory)["tests"])
    assert lacks == "the system lacks a permission:\n  one\n  two"
    cause = "orders failed: " + "long " * 60 + "cause"
    assert unready == f"{cause}\nwaited 3 s\n[failed] orders: <b>why"
    shown = (directory / "report" / "index.html").read_text()
    assert '<p class="text">the system lacks a permission:</p>' in shown
    assert ">  one\n  two</pre>" in shown
    assert "waited 3 s\n[failed] orders: &lt;b&gt;why</pre>" in shown


def test_the_message_of_a_test_is_bounded(run):
    _, directory = run("def test_it(): raise ValueError('x' * 100_000)", "--harness-report=report")
    assert len(facts_in(directory)["tests"][0]["error"]) == 16_384


def test_no_deployment_is_opened_for_the_report(run, monkeypatch):
    opened = []
    created = datetime(2026, 1, 1, tzinfo=UTC)
    record = SimpleNamespace(deployment_id="d1", region="eu-west-3", created_at=created, stages={})

    def find(session, which):
        opened.append(which)
        session._record = record
        raise DeploymentError("apply failed")

    monkeypatch.setattr(sessions.Session, "_kept", find)
    _, directory = run("def test_it(deployment): pass", "--harness-report=report", "--harness-reuse=d1")
    facts = facts_in(directory)
    assert opened == ["d1"]
    assert facts["problems"] == []
    assert (facts["session"]["deployment_id"], facts["session"]["region"]) == ("d1", "eu-west-3")
    assert facts["session"]["outcome"] == "deployment failed"


def test_no_deployment_is_opened_for_tests_that_use_none(run, monkeypatch):
    monkeypatch.setattr(sessions.Session, "_kept", lambda *_: pytest.fail("it is opened"))
    _, directory = run("def test_it(): pass", "--harness-report=report", "--harness-reuse=d1")
    assert facts_in(directory)["session"]["outcome"] == "passed"


def test_a_missing_extra_is_said_before_any_test(run, monkeypatch):
    monkeypatch.setattr(pages, "find_spec", lambda _name: None)
    done, directory = run("def test_it(): open('ran', 'w').close()", "--harness-report=report")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in done.errlines if line] == [
        'ERROR: the report needs jinja2: install the extra, pip install "event-harness[report]"'
    ]
    assert not (directory / "ran").exists()
