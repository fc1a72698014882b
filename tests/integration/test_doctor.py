"""`event-harness doctor` on a machine that has what tests need: it starts terraform and the emulator."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "orders"


def test_nothing_is_missing_here(tmp_path):
    project = tmp_path / "orders"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "EVENT_HARNESS_"))}
    environ["EVENT_HARNESS_PROVIDERS"] = "mirror"
    done = subprocess.run(
        [sys.executable, "-m", "event_harness.cli", "doctor", "--json"],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert {one["state"] for one in found.values()} == {"ok"}
    assert found["provider"]["says"].startswith("hashicorp/aws 3.39.0 from the PyPI mirror")
    assert found["emulator"]["says"].startswith("MiniStack ")
    assert not (project / ".event-harness").exists()
