"""Which tests one worker takes, and which it takes first."""

from pathlib import Path

from tests.conftest import APART, LONGEST, WITH_ANOTHER, taken_together

TESTS = Path(__file__).parents[1]


def test_each_file_that_is_named_is_there():
    there = {path.name for path in TESTS.rglob("test_*.py")}
    named = {*(f"{name}.py" for name in LONGEST), *WITH_ANOTHER, *WITH_ANOTHER.values(), *APART}
    assert named - there == set()


def test_one_worker_takes_a_file_and_some_files_together():
    failing = "tests/integration/failing"
    one, other = (
        taken_together(f"{failing}/test_{name}.py::test_a[x/y]") for name in ("redrive", "explanations")
    )
    assert one == other == f"{failing}/test_explanations.py"
    assert taken_together("tests/plan/test_plans.py::test_a[1]") == "tests/plan/test_plans.py"


def test_files_that_are_taken_together_are_beside_each_other():
    for one, other in WITH_ANOTHER.items():
        (directory,) = {path.parent for path in TESTS.rglob(one)}
        assert (directory / other).is_file()


def test_tests_that_take_minutes_are_taken_one_by_one():
    (file,) = APART
    nodeids = {f"tests/commands/{file}::test_{number}" for number in range(3)}
    assert {taken_together(nodeid) for nodeid in nodeids} == nodeids
