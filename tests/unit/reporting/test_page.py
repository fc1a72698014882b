"""The page as text: escaped, without a network, with the licences of its libraries."""

import base64
import gzip
import hashlib
import json
import re
import sys

import made_up
import pytest

from event_harness.errors import SettingError
from event_harness.reporting.page import asset, page, visible

LIBRARIES = {  # d3 7.9.2 and Observable Plot 0.6.17, as their packages have them
    "d3.min.js": "912111098ea99503a6f4967361d2bbdc9dbf58cf9c678c8e27e5b02d1a07f0c1",
    "plot.umd.min.js": "4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb",
}


@pytest.mark.parametrize("name", LIBRARIES)
def test_chart_libraries_are_the_released_ones(name):
    assert hashlib.sha256(asset(name).encode()).hexdigest() == LIBRARIES[name]
    assert "</script" not in asset(name)


def test_the_page_shows_what_the_waits_of_a_failed_test_explain_each_once():
    facts = made_up.session()
    failed = next(test for test in facts["tests"] if test["outcome"] == "failed")
    explained = next(wait for wait in facts["waits"] if wait["test"] == failed["id"])
    facts["waits"] = [explained | {"explanation": text} for text in ("why one", "why one", "why two", "")]
    shown = page(facts)
    assert (shown.count(">why one</pre>"), shown.count(">why two</pre>")) == (1, 1)
    assert shown.count('aria-label="Explanation') == 2


def test_the_page_names_for_each_unusual_event_the_last_component_that_saw_it():
    facts = made_up.session()
    event = next(event for event in facts["events"] if event["state"] == "failed")
    attempted, seen = event["components"][1], event["components"][0]
    others = [{**one, "attempts": [], "at": None} for one in event["components"]]
    event["components"] = [seen | {"name": "seen", "attempts": [], "at": 1.0}, *others]
    facts["events"] = [event]
    assert "<td>seen</td>" in page(facts)
    event["components"].insert(1, attempted | {"name": "tried", "at": None})
    assert "<td>tried</td>" in page(facts)
    event["components"] = others
    assert "<td>not known</td>" in page(facts)


@pytest.mark.parametrize(
    ("amount", "shown"), [(0, "$0.0000"), (0.0001, "$0.0001"), (0.00001, "under $0.0001"), (1.25, "$1.2500")]
)
def test_a_cost_that_rounds_to_nothing_is_not_shown_as_nothing(amount, shown):
    facts = made_up.session()
    facts["cost"]["dollars"] = amount
    assert shown in page(facts)


def test_the_page_names_the_licences_of_its_libraries():
    text = page(made_up.session())
    assert "Copyright 2010-2026 Mike Bostock" in text
    assert "Observable Plot 0.6.17" in text


def test_the_page_loads_nothing():
    text = page(made_up.session(history=3))
    head = text[: text.index('<script type="application/gzip"')]
    assert re.findall(r"(?:src|href)=.(?!#).*", head) == []
    assert "default-src 'none'" in head
    assert "url(" not in asset("report.css")


def test_hostile_text_ends_no_element_of_the_page():
    text = page(made_up.session(tests=3, events=6, hostile=True, history=2))
    assert text.count("<script") == text.count("</script>") == 4
    assert "<img" not in text
    before = text[: text.index('<script type="application/gzip"')]
    assert "\x1b" not in before
    assert "\u202e" not in before


def test_page_holds_the_facts_packed():
    facts = made_up.session(tests=3, events=6, hostile=True)
    packed = re.search(r'<script type="application/gzip" id="facts">([^<]+)</script>', page(facts))[1]
    assert json.loads(gzip.decompress(base64.b64decode(packed))) == json.loads(json.dumps(facts))


def test_page_of_2_000_events_with_long_logs_is_under_5_mb():
    facts = made_up.session(tests=300, events=2000, history=30)
    line = [1795664376.096, "price_order", "".join(map(chr, range(33, 126))) * 4, False]
    for event in facts["events"]:
        event["log"] = [line] * 3  # more than a report ever holds
    assert len(page(facts).encode()) < 5_000_000


def test_a_session_without_tests_has_a_page():
    text = page(made_up.nothing("deployment failed"))
    assert "deployment failed" in text
    assert "No event arrived" in text


def test_failed_events_are_not_said_to_be_in_a_failure_queue():
    """A function may have given up on them where no failure queue is."""
    facts = made_up.session()
    facts["totals"] |= {"missing": 2, "failed": 3}
    text = page(facts)
    assert "2 missing, 3 failed</small>" in text


def test_without_jinja2_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(SettingError, match=r'pip install "event-harness\[report\]"'):
        page(made_up.session())


def test_control_and_direction_characters_become_a_sign():
    assert visible("a\x1b[31m\u202eb\u2066\nc\tä") == "a\ufffd[31m\ufffdb\ufffd\nc\tä"
