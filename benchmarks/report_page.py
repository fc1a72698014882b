"""Measures the report's page of 300 tests with 2,000 events: its size, and how fast it opens.

It opens in the Chromium of this machine, from disk, in a fresh browser context each time. Without a Chromium
only the size is measured.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, run
from event_harness.reporting.page import page

TESTS, EVENTS, SESSIONS = 300, 2_000, 30
TIMES, QUICK_TIMES = 10, 2
MEGABYTES, SECONDS = 5, 2  # the guarantees
MADE_UP = Path(__file__).parents[1] / "tests" / "unit" / "reporting"


def measure(quick: bool) -> list[Figure]:
    """Make the page once, and open it several times."""
    sys.path.insert(0, str(MADE_UP))
    import made_up  # type: ignore[import-not-found]  # the facts that the tests use

    text = page(made_up.session(TESTS, EVENTS, history=SESSIONS))
    case = f"{TESTS} tests, {EVENTS:,} events"
    figures = [
        Figure(
            "size of the report's page", case, "MB", [len(text.encode()) / 1e6], bounds={"most": MEGABYTES}
        )
    ]
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "index.html"
            path.write_text(text, encoding="utf-8")
            opened = _opened(chromium, path.as_uri(), QUICK_TIMES if quick else TIMES)
        figures.append(
            Figure("the report's page is ready in Chromium", case, "s", opened, bounds={"median": SECONDS})
        )
    return figures


def _opened(chromium: str, address: str, times: int) -> list[float]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            return [_once(browser, address) for _ in range(times)]
        finally:
            browser.close()


def _once(browser: Any, address: str) -> float:
    context = browser.new_context()
    try:
        shown = context.new_page()
        began = time.monotonic()
        shown.goto(address)
        shown.wait_for_selector("html[data-ready]")
        return time.monotonic() - began
    finally:
        context.close()


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
