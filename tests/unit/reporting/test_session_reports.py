"""The reports of sessions that deploy nothing: the plugin writes them whatever happens."""

import json

import pytest

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
