"""`make recording`, as a person runs it: it deploys the demonstration and a failing test."""

import json
import shutil

import pytest
from documented import checkout, in_shell

from website import report_pictures

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
        reason="no Chromium on the PATH (Debian: apt install chromium)",
    ),
]
RECORDED = ("demo.cast", "demo.svg", "failure.cast", "failure.svg")


def test_recording_writes_each_picture_anew(tmp_path):
    clone = checkout(tmp_path / "clone")
    docs = clone / "docs"
    shown = [name for name, *_ in report_pictures.PICTURES]
    for file in (*(docs / "pictures" / name for name in RECORDED), *(docs / name for name in shown)):
        file.unlink()
    in_shell("make recording", clone, seconds=50 * 60)
    for name, command, end in (("demo", "make demo", "nothing is left"), ("failure", "pytest", "1 failed")):
        head, *rows = map(json.loads, (docs / "pictures" / f"{name}.cast").read_text().splitlines())
        assert head["title"] == command
        assert end in "".join(text for _, _, text in rows)
        assert (docs / "pictures" / f"{name}.svg").read_text().startswith("<svg")
    assert all((docs / name).read_bytes().startswith(b"\x89PNG") for name in shown)
    digest = (docs / "pictures" / "report.sha256").read_text().strip()
    assert digest == report_pictures.digest()
