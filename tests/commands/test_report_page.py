"""The report's page in a browser, as a person sees it: from disk, at two widths, by keyboard."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "reporting"))
import made_up

from event_harness.reporting.page import page as page_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on the PATH (Debian: apt install chromium)"
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HOSTILE_TITLE = "owned"
PATIENCE = 300_000  # milliseconds


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A function that writes the page of a made-up session and returns its address."""
    directory = tmp_path_factory.mktemp("pages")

    def write(name, **session):
        path = directory / f"{name}.html"
        if not path.exists():
            path.write_text(page_of(made_up.session(**session)), encoding="utf-8")
        return path.as_uri()

    return write


@pytest.fixture
def opened(browser):
    """A function that opens an address; at the end nothing was requested and nothing complained."""
    contexts, complaints, requests = [], [], []

    def open_page(address, width=1600, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        shown = context.new_page()
        shown.on("console", lambda message: complaints.append(message.text))
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on("request", lambda request: requests.append(request.url))
        shown.goto(address)
        shown.wait_for_selector("html[data-drawn]")
        return shown

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith("file:")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
def test_the_page_is_accessible_and_fits_its_width(opened, made, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    shown = opened(made("usual", history=14), width, scheme)
    found = Axe().run(shown, options={"runOnly": RULES})
    told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]]
    assert told == []
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_failed_test_is_picked_and_its_event_explained(opened, made):
    shown = opened(made("usual", history=14))
    assert "test_order_4" in shown.locator("#test-list [aria-selected=true]").inner_text()
    assert shown.locator("#event-list .option").count() == 5
    detail = shown.locator("#detail")
    assert "failed" in detail.inner_text()
    rows = [row.inner_text().split("\n")[0] for row in detail.locator(".way li:not(.axis)").all()]
    assert rows[:4] == ["sent", *(f"price_order, attempt {n}" for n in (1, 2, 3))]
    assert "no record tells when" in detail.locator(".way li.open").first.inner_text()
    assert "price_order failed after 3 attempts" in detail.locator("pre").inner_text()


def test_picking_shows_the_way_the_records_and_the_log_lines_of_an_event(opened, made):
    shown = opened(made("usual", history=14))
    shown.locator("#test-list .option", has_text="test_order_1_").click()
    shown.locator("#event-list .option").nth(1).click()
    names = [row.inner_text() for row in shown.locator("#detail .way .name").all() if row.inner_text()]
    assert names == [
        "sent",
        "price_order",
        "confirmed",
        "output",
        "event_listener",
        "received",
        "seen by the test",
    ]
    shown.get_by_role("tab", name="Records").click()
    assert '"source": "confirmed"' in shown.get_by_role("tabpanel").inner_text()
    shown.get_by_role("tab", name="Log").click()
    assert "START RequestId" in shown.get_by_role("tabpanel").inner_text()


def test_everything_is_reached_by_keyboard(opened, made):
    shown = opened(made("usual", history=14))
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.textContent").startswith("Skip to")
    shown.locator("#test-list [aria-selected=true]").focus()
    shown.keyboard.press("ArrowDown")
    first = shown.locator("#test-list [aria-selected=true]").inner_text()
    assert "test_order_0" in first
    shown.keyboard.press("Tab")  # the filter of the events
    shown.keyboard.press("Tab")
    before = shown.locator("#detail h3").inner_text()
    shown.keyboard.press("ArrowDown")
    assert shown.locator("#detail h3").inner_text() != before
    shown.keyboard.press("End")
    assert shown.locator("#event-list .option").last.get_attribute("aria-selected") == "true"
    shown.get_by_role("tab", selected=True).focus()
    shown.keyboard.press("ArrowRight")
    assert shown.get_by_role("tab", selected=True).inner_text().startswith("Log")


def test_filters_leave_what_they_name(opened, made):
    shown = opened(made("usual", history=14))
    shown.get_by_label("Filter tests by name").fill("order_7")
    assert shown.locator("#test-list .option").count() == 1
    shown.get_by_label("Filter tests by name").fill("")
    shown.get_by_label("Outcome").select_option("failed")
    assert shown.locator("#test-list .option").count() == 1
    shown.get_by_label("State of events").select_option("arrived")
    assert shown.locator("#event-list .option").count() == 4


def test_each_state_is_told_in_words_and_charts_have_numbers_beside_them(opened, made):
    shown = opened(made("usual", history=14))
    assert shown.locator("#event-list .state").first.inner_text().strip() == "failed"
    assert shown.locator("#histogram svg rect").count() > 3
    assert shown.locator("#trend svg").count() == 1
    assert "p95" in shown.locator("#latency thead").first.inner_text()
    shown.get_by_text("The numbers").click()
    assert shown.locator("#trend-section tbody tr").count() == 14
    assert "invocations × $0.2 per million" in shown.locator("#cost").inner_text()


def test_trend_and_distribution_are_those_of_the_test_or_function_that_is_picked(opened, made):
    shown = opened(made("usual", history=14))
    note = shown.locator("#trend-note")
    whole = note.inner_text()
    assert "the median of the 13 sessions before" in whole
    shown.locator("#trend-of").select_option(label="price_order")
    assert note.inner_text() == (
        "p95 330 ms in the newest session; 260 ms is the median of the 13 sessions before."
    )
    shown.locator("#trend-of").select_option(index=3)
    assert note.inner_text() not in ("", whole)
    assert shown.locator("#trend svg").count() == 1
    shown.locator("#latency-test").select_option(label="price_order")
    assert "seconds of an invocation" in shown.locator("#histogram").inner_text()
    shown.locator("#latency-test").select_option(index=3)
    assert "seconds from send to result" in shown.locator("#histogram").inner_text()


def test_few_events_are_counted_in_whole_numbers_each_once(opened, made):
    shown = opened(made("few", tests=3, events=6))
    ticks = shown.locator("#histogram [aria-label='y-axis tick label'] text").all_text_contents()
    numbers = [text for text in ticks if text]
    assert numbers
    assert numbers == sorted(set(numbers), key=int)


def test_links_lead_from_a_failure_to_its_event(opened, made):
    shown = opened(made("usual", history=14))
    shown.locator("#test-list .option", has_text="test_order_1_").click()
    shown.locator("#failures button").click()
    assert "test_order_4" in shown.locator("#test-list [aria-selected=true]").inner_text()
    shown.locator("#arrivals tbody button").first.click()
    assert "failed" in shown.locator("#event-list [aria-selected=true]").inner_text()


def test_hostile_text_stays_text(opened, made):
    shown = opened(made("hostile", tests=3, events=6, hostile=True, history=2))
    assert HOSTILE_TITLE not in shown.title()
    assert shown.locator("img").count() == 0
    assert "</script><script>" in shown.locator("#failures").inner_text()
    shown.get_by_role("tab", name="Records").click()
    whole = shown.locator("body").inner_text()
    assert not any(sign in whole for sign in "\x1b\u202e")


@pytest.mark.parametrize("width", [360, 1600])
def test_name_without_a_blank_stays_in_its_box_and_leaves_room_for_others(opened, made, width):
    shown = opened(made("hostile", tests=3, events=6, hostile=True, history=2), width)
    wider = "one => one.scrollWidth > one.clientWidth"
    assert not shown.locator("#events-title").evaluate(wider)
    assert not shown.locator("#test-list .option .name").first.evaluate(wider)
    lines = "one => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight)"
    assert shown.locator("#test-list .option .name").nth(1).evaluate(lines) < 7
    assert "x" * 900 in shown.locator("#detail").inner_text()  # whole beside the event


def test_a_large_session_shows_every_event(opened, made):
    shown = opened(made("large", tests=300, events=2_000, history=30))
    shown.locator("#test-list .option", has_text="All events").click()
    assert shown.locator("#event-list .option").count() == 2_000
