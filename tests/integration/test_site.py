"""`make docs` builds the site strictly, without a network."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_site_is_built_strictly():
    done = subprocess.run(
        [shutil.which("make") or "make", "docs"], cwd=ROOT, capture_output=True, text=True, check=False,
        env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    pages = ROOT / ".build" / "site" / "site"
    assert "wait_for" in (pages / "generated" / "api" / "index.html").read_text()
    assert 'src="../pictures/failure.svg"' in (pages / "start" / "index.html").read_text()
    assert 'class="mermaid"' in (pages / "contributing" / "index.html").read_text()
