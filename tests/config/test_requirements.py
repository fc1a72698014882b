"""The pinned versions fit the bounds in pyproject.toml. `pip install --no-deps` doesn't check that."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = {
    "dev.txt": [*PROJECT["dependencies"], *EXTRAS["local"], *EXTRAS["debug"]],
    "terraform.txt": EXTRAS["terraform"],
}


@pytest.mark.parametrize("name", PINS)
def test_pins_are_within_the_bounds_of_the_package(name):
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))
    for wanted in map(Requirement, PINS[name]):
        assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), wanted


def test_no_development_tool_repeats_a_dependency_of_the_package():
    """A line without the bounds would let another version in."""
    lines = (ROOT / "requirements" / "dev.in").read_text(encoding="utf-8").splitlines()
    tools = {Requirement(line.partition("#")[0]).name for line in lines if not line.startswith("#")}
    assert tools & {Requirement(text).name for text in PINS["dev.txt"]} == set()
