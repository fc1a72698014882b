"""Every module outside the package can be imported, also those that no other test uses."""

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "demo", "resilience")
# The code of a Lambda function is no module: its imports are there in the function only.
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "app.py" and path.name != "__init__.py"
]


def test_modules_of_every_folder_are_found():
    assert {name.partition(".")[0] for name in MODULES} == set(FOLDERS)


@pytest.mark.parametrize("name", MODULES)
def test_module_can_be_imported(name):
    assert import_module(name).__name__ == name
