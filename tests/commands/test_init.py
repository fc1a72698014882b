"""`event-harness init` gives both examples a passing suite, once their own harness parts are removed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from projects import LEAN

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "event_harness.cli"]
# The answers, one for each question; an empty one takes the default, which `init` found in the deployed copy.
ANSWERS = {
    "orders": [
        "",  # results arrive at the bus
        '{"source": ["orders"]}',
        "order_id",
        "",  # inputs go to the topic
        "order_id",
        '{"lines": [{"sku": "tea", "quantity": 1, "price": "4.50"}]}',
        "60",
        "y",
    ],
    "projection": ["", "key", "", "key", '{"name": "A", "email": "a@example.com"}', "60", "y"],
}
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "EVENT_HARNESS_"))} | LEAN
ENVIRON["EVENT_HARNESS_PROVIDERS"] = "mirror"


@pytest.fixture
def bare(tmp_path, request):
    """An example without what `init` writes."""
    project = tmp_path / request.param
    shutil.copytree(
        ROOT / "examples" / request.param,
        project,
        ignore=shutil.ignore_patterns("tests", "pytest.ini", "event_harness.tf", ".*", "__pycache__"),
    )
    for name, block in (("outputs.tf", 'output "event_harness"'), ("variables.tf", 'variable "deploy_test')):
        text = (project / name).read_text()
        rest = re.sub(rf"^{block}.*?^}}\n", "", text, flags=re.DOTALL | re.MULTILINE)
        assert rest != text
        (project / name).write_text(rest)
    return project


@pytest.mark.parametrize("bare", ANSWERS, indirect=True)
def test_example_without_its_harness_parts_gets_a_passing_suite(bare):
    before = {path: path.read_bytes() for path in bare.rglob("*") if path.is_file()}
    done = subprocess.run(
        [*COMMAND, "init", "--source", f"{ROOT}//modules/event_listener"],
        cwd=bare,
        env=ENVIRON,
        input="".join(f"{line}\n" for line in ANSWERS[bare.name]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path: path.read_bytes() for path in before} == before
    end = {"orders": "shop", "projection": "directory"}[bare.name]
    assert re.search(rf"where do results arrive\? .* \[{end}\]", done.stdout)
    entry = {"orders": "placed", "projection": "customers"}[bare.name]
    assert re.search(rf"where do tests send inputs\? .* \[{entry}\]", done.stdout)
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=bare,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "1 passed" in tested.stdout
    formatted = subprocess.run([*COMMAND, "fmt", "--check", "."], cwd=bare, env=ENVIRON, check=False)
    assert formatted.returncode == 0
