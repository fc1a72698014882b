"""Each package imports only from the packages below it. pyproject.toml defines the layers."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
    "contracts"
]
(LAYERS,) = [contract["layers"] for contract in CONTRACTS if contract["type"] == "layers"]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_imports_go_down_the_layers_and_never_in_a_circle():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


def test_picture_in_contributing_shows_these_layers_in_this_order():
    picture = CONTRIBUTING[CONTRIBUTING.index("```mermaid") :].partition("\n```")[0]
    names = dict(re.findall(r'(L\d+)\["(.*?)"\]', picture))
    arrows = re.findall(r"(L\d+)\S* --> (L\d+)|(L\d+)\[.*?\] --> (L\d+)", picture)
    pairs = [(one or three, two or four) for one, two, three, four in arrows]
    assert list(names.values()) == LAYERS
    assert pairs == list(zip(names, list(names)[1:], strict=False))


def test_contributing_explains_every_package():
    table = CONTRIBUTING[CONTRIBUTING.index("| package |") :].partition("\n\n")[0]
    packages = {name for layer in LAYERS for name in layer.split(" | ")}
    assert {name for name in packages if f"`{name}/`" not in table and f"`{name}.py`" not in table} == set()


def test_every_package_states_its_purpose_in_one_line():
    packages = [
        path for path in (ROOT / "event_harness").rglob("__init__.py") if path.parent.name != "event_harness"
    ]
    assert packages
    for path in packages:
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        assert re.fullmatch(r'"""[A-Z].*\."""', first), (
            f"{path.relative_to(ROOT)}: say its purpose in one line"
        )


def test_folders_of_unit_tests_are_named_like_what_they_test():
    folders = {
        path.parent.relative_to(ROOT / "tests" / "unit").parts
        for path in (ROOT / "tests" / "unit").rglob("test_*.py")
    }
    packages = {name for layer in LAYERS for name in layer.split(" | ")}
    outside = {"benchmarks", "demo", "functions", "resilience", "scale"}
    assert {parts[0] for parts in folders if parts} <= packages | outside
