"""The facts of a session, and what is made of them."""

import json
from importlib import resources

import jsonschema
import made_up
import pytest

from event_harness.aws.prices import PRICES
from event_harness.reporting import history, markdown, output
from event_harness.reporting.statistics import percentile, summarized

SCHEMA = json.loads((resources.files("event_harness.reporting") / "assets/report-1.schema.json").read_text())
# jsonschema.validate() would check the schema itself each time.
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one():
    VALIDATOR.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "session",
    [
        {},
        {"hostile": True},
        {"tests": 0, "events": 0, "outcome": "deployment failed"},
        {"history": 3, "outcome": "interrupted"},
    ],
)
def test_facts_follow_the_schema(session):
    facts = made_up.session(**session) if session.get("tests", 1) else made_up.nothing(session["outcome"])
    VALIDATOR.validate(json.loads(json.dumps(facts)))


def test_the_schema_refuses_what_it_does_not_describe():
    facts = made_up.session()
    for change in ({"schema_version": 2}, {"extra": 1}, {"totals": {}}):
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate(facts | change)


def test_each_event_is_counted_once_and_belongs_to_its_test():
    facts = made_up.session(tests=10, events=50)
    totals = facts["totals"]
    states = ("arrived", "failed", "missing", "none_came", "in_flight")
    assert totals["events"] == len(facts["events"]) == sum(totals[state] for state in states) == 50
    assert sum(test["events"] for test in facts["tests"]) == 50
    assert totals["failed"] == 1
    failed = next(event for event in facts["events"] if event["state"] == "failed")
    assert len(failed["components"][1]["attempts"]) == 3
    assert any(line[3] for line in failed["log"])
    assert facts["waits"][failed["waits"][0]]["explanation"].startswith("price_order failed")


def test_log_lines_are_left_out_of_large_sessions_but_not_those_of_failures(monkeypatch):
    monkeypatch.setattr("event_harness.reporting.facts._ALL_LINES", 10_000)
    facts = made_up.session(tests=30, events=200)
    failed = [event for event in facts["events"] if event["state"] == "failed"]
    assert failed
    assert all(event["log"] for event in failed)
    assert any(not event["log"] for event in facts["events"])


def test_contents_are_facts_only_where_they_were_recorded():
    assert not any("body" in event for event in made_up.session()["events"])
    assert all(event["body"] for event in made_up.session(hostile=True)["events"])


def test_a_percentile_is_the_smallest_value_that_this_share_does_not_exceed():
    values = [float(n) for n in range(1, 21)]
    assert [percentile(values, share) for share in (0.05, 0.5, 0.95, 0.951, 1.0)] == [1, 10, 19, 20, 20]
    assert percentile([3.0], 0.5) == 3.0


def test_values_that_are_not_known_do_not_count():
    assert summarized([None, None]) is None
    told = summarized([0.3, None, 0.1])
    assert (told["count"], told["min"], told["max"], told["p50"]) == (2, 0.1, 0.3, 0.1)


def test_the_cost_is_the_sum_of_its_parts_with_the_list_prices():
    cost = made_up.session(tests=10, events=50)["cost"]
    parts = {part["name"]: part for part in cost["parts"]}
    assert cost["dollars"] == pytest.approx(sum(part["dollars"] for part in parts.values()))
    requests = parts["Lambda requests"]
    assert requests["amount"] == 52  # 49 events, and three attempts at the one that failed
    assert requests["dollars"] == pytest.approx(52 * PRICES["lambda_requests"])
    assert requests["formula"] == "52 invocations × $0.2 per million = $0.000010"
    assert not any("e-" in part["formula"] for part in parts.values())


def test_history_keeps_the_newest_and_skips_what_makes_no_sense(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 3)
    state = tmp_path / ".event-harness"
    for number in range(5):
        kept = history.append(state, {"at": float(number)})
    assert [one["at"] for one in kept] == [2.0, 3.0, 4.0]
    with (state / history.FILE).open("a") as file:
        file.write('no json\n[1]\n{"at": "x"}\n')
    assert [one["at"] for one in history.append(state, {"at": 9.0})] == [3.0, 4.0, 9.0]
    assert (state / ".gitignore").read_text() == "*\n"


def test_the_line_of_history_has_the_numbers_of_the_session():
    entry = history.entry(made_up.session(tests=10, events=50))
    assert (entry["tests"], entry["failed_tests"], entry["events"], entry["arrived"]) == (10, 1, 50, 49)
    assert entry["p50"] <= entry["p95"] <= entry["max"]


def test_the_line_of_history_has_the_latency_of_each_test_and_each_component():
    facts = made_up.session(tests=10, events=50)
    entry = history.entry(facts)
    assert entry["of_tests"] == {
        one["id"]: [one["latency"]["p50"], one["latency"]["p95"]] for one in facts["tests"] if one["latency"]
    }
    assert len(entry["of_tests"]) > 5
    assert set(entry["of_components"]) == {"price_order", "event_listener"}


def test_the_job_summary_tells_failures_and_no_text_of_theirs_becomes_markup():
    said = markdown.summary(made_up.session(tests=3, events=6, hostile=True))
    assert "| 2 of 3 passed | 6 |" in said
    assert "\nTarget local; " in said
    assert "terraform 1.11.4" in said
    assert "<pre>price_order failed after 3 attempts" in said
    assert "<script>" not in said
    assert "<img" not in said
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_small_cost_is_not_rounded_to_nothing_in_the_job_summary():
    facts = made_up.session(tests=3, events=6)
    facts["cost"]["dollars"] = 0.00002
    assert "| under $0.0001 |" in markdown.summary(facts)


def test_lines_of_an_error_stay_lines_in_the_job_summary():
    facts = made_up.session(tests=3, events=6)
    facts["waits"] = []
    facts["tests"][0]["error"] = "one\n\n# two"
    assert "one&#10;&#10;# two" in markdown.summary(facts)


def test_the_report_is_two_files_and_the_page_stays_small(tmp_path):
    facts = made_up.session(tests=300, events=2_000, history=30)
    page = output.write(facts, tmp_path / "a" / "b")
    assert page.name == "index.html"
    assert page.stat().st_size < 5_000_000
    assert json.loads((page.parent / "report.json").read_text()) == json.loads(json.dumps(facts))
