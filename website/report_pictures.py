"""Takes the two pictures of the report: `python -m website.report_pictures`, a part of `make recording`.

The session is made up: it is the one with which the report's own tests work. A digest of all that the
pictures show lies beside them, so a test tells when they are out of date.
"""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MADE_UP = ROOT / "tests" / "unit" / "reporting"
DIGEST = ROOT / "docs" / "pictures" / "report.sha256"
PICTURES = (("report-light.png", 1280, 860, "light"), ("report-phone.png", 360, 760, "dark"))
_SHOWN = ("report.css", "report.js", "report.html.j2")


def digest() -> str:
    """Of the page's own code and of the made-up session."""
    assets = ROOT / "event_harness" / "reporting" / "assets"
    files = [*(assets / name for name in _SHOWN), MADE_UP / "made_up.py"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def main() -> None:
    """Write the page of the made-up session, and take its pictures."""
    from playwright.sync_api import sync_playwright

    sys.path.insert(0, str(MADE_UP))
    import made_up  # type: ignore[import-not-found, unused-ignore]

    from event_harness.reporting.page import page

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        file = Path(directory) / "index.html"
        file.write_text(page(made_up.session(history=14)), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, width, height, scheme in PICTURES:
            shown = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            shown.goto(file.as_uri())
            shown.wait_for_selector("html[data-drawn]")
            shown.screenshot(path=ROOT / "docs" / name)
        browser.close()
    DIGEST.write_text(f"{digest()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
