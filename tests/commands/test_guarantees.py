"""`make resilience`, each of its tests in its smallest form: it works, and ends with its table."""

import re

import pytest
from documented import checkout, in_shell

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A git repository: without one, a deployment would copy all that lies beside the clone, too."""
    directory = checkout(tmp_path_factory.mktemp("guarantees") / "clone")
    in_shell("git init --quiet", directory)
    return directory


SMALL = {
    "kill": "--kills 1 --only sweep",
    "signals": "--signals 20",
    "faults": "--events 10",
    "soak": "--sessions 1 --cycles 1",
}
TABLE = re.compile(r"resilience test\W+guarantee\W+done\W+kept")


@pytest.mark.parametrize("test", ["kill", "signals", "soak"])
def test_resilience_keeps_every_guarantee(clone, test):
    said = in_shell(f'make resilience ARGS="{test} {SMALL[test]}"', clone, seconds=50 * 60)
    assert "FAILED" not in said
    assert TABLE.search(said)


def test_resilience_injects_faults_and_tells_what_came_of_each_part(clone):
    """Which requests are struck is chance, so a test of the sample may fail: the table then says so."""
    command = f'make resilience ARGS="faults {SMALL["faults"]}" || true'
    said = in_shell(command, clone, seconds=50 * 60)
    assert "Traceback" not in said
    assert "terraform through injected faults 1: fine" in said
    assert len(re.findall(r"tests that should pass, under injected faults \d+: fine", said)) > 4
    assert "tests that should fail, under injected faults 5: fine" in said
    assert re.search(r"[1-9]\d* of \d+", said)  # requests struck
    assert TABLE.search(said)


def test_resilience_names_each_test_and_each_option(clone):
    said = in_shell("make resilience ARGS=--help", clone)
    options = {word for size in SMALL.values() for word in size.split() if word.startswith("--")}
    assert all(word in said for word in (*SMALL, *options, "--seed"))
