"""`make docs` builds the site strictly; its pages open without a network, on a phone and on a desk."""

import functools
import os
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 300_000  # milliseconds
# What sticks out of its page, or is missing. What scrolls within its own box may be wide.
WRONG = """() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > width + 1) found.push('the page scrolls sideways');
  for (const one of document.querySelectorAll('.md-content *')) {
    const { right, width: wide } = one.getBoundingClientRect();
    if (!wide || right <= width + 2) continue;
    let box = one;
    while (box && getComputedStyle(box).overflowX === 'visible') box = box.parentElement;
    const scrolls = box && box !== document.body && box !== document.documentElement;
    if (!scrolls) found.push(`${one.tagName} sticks out: ${one.textContent}`);
  }
  const read = width > 1000 && !location.pathname.startsWith('/comparison/'); // it quotes whole messages
  for (const table of read ? document.querySelectorAll('.md-content table') : []) {
    let box = table;
    while (box !== document.body && box.scrollWidth <= 1.05 * box.clientWidth) box = box.parentElement;
    if (box !== document.body) found.push(`a table must be scrolled: ${table.rows[0].innerText}`);
  }
  for (const one of document.images)
    if (one.complete && !one.naturalWidth) found.push(`no image: ${one.src}`);
  return found;
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages, built by `make docs`: not in the project, which deployments of other tests copy."""
    site = tmp_path_factory.mktemp("site")
    command = [shutil.which("make") or "make", "docs", f"SITE={site}"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    return site / "site"


def test_site_is_built_strictly(pages):
    assert "wait_for" in (pages / "generated" / "api" / "index.html").read_text()
    assert 'src="../pictures/failure.svg"' in (pages / "start" / "index.html").read_text()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH (Debian: apt install chromium)")
def test_every_page_fits_a_phone_and_a_desk_draws_its_diagrams_and_asks_no_other_host(pages):
    from playwright.sync_api import sync_playwright

    names = sorted(path.parent.relative_to(pages).as_posix() for path in pages.rglob("index.html"))
    assert len(names) > 40
    complaints = []
    handler = functools.partial(Quiet, directory=str(pages))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http, sync_playwright() as playwright:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        site = f"http://127.0.0.1:{http.server_port}/"
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE
        )
        shown = chromium.new_page()
        shown.set_default_timeout(PATIENCE)
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on(
            "request",
            lambda request: (
                complaints.append(request.url) if not request.url.startswith((site, "data:")) else None
            ),
        )
        for number, page in enumerate(names):
            shown.goto(f"{site}{page}/")
            shown.wait_for_function("() => !document.querySelector('pre.mermaid')")
            # Every second page begins with the width that the page before it ended with: a layout less.
            for width in (360, 1280) if number % 2 else (1280, 360):
                shown.set_viewport_size({"width": width, "height": 900})
                complaints += [f"{page} at {width}: {found}" for found in shown.evaluate(WRONG)]
        chromium.close()
        http.shutdown()
    assert complaints == []
