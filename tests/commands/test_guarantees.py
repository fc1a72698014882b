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


@pytest.mark.parametrize(("test", "size"), SMALL.items())
def test_resilience_keeps_every_guarantee(clone, test, size):
    said = in_shell(f'make resilience ARGS="{test} {size}"', clone, seconds=50 * 60)
    assert "FAILED" not in said
    assert TABLE.search(said)
    if test == "faults":
        assert re.search(r"[1-9]\d* of \d+", said)  # requests that were struck


def test_resilience_names_each_test_and_each_option(clone):
    said = in_shell("make resilience ARGS=--help", clone)
    options = {word for size in SMALL.values() for word in size.split() if word.startswith("--")}
    assert all(word in said for word in (*SMALL, *options, "--seed"))
