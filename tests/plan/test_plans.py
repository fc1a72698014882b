"""Each plan equals its expectation in `cases`: `<name>.tfvars` is the input, `<name>.toml` the expectation.

A new case needs no Python. The name of the directory selects the configuration: the root or one of
`configurations`. A name that ends with `_on_real_account` is planned as on a customer's account.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from expectations import differences, read, refusals
from planning import Planner

from event_harness.errors import DeploymentError
from event_harness.terraform import toolchain

CASES = Path(__file__).parent / "cases"


def cases(refused: bool) -> list[pytest.param]:
    return [
        pytest.param(case, id=f"{case.parent.name}-{case.stem}")
        for case in sorted(CASES.glob("*/*.tfvars"))
        if ("errors" in read(case)) == refused
    ]


@pytest.mark.parametrize("case", cases(refused=False))
def test_the_plan_is_as_expected(case: Path, planner: Callable[[str], Planner]) -> None:
    expected = read(case)
    after = case.with_name(f"{expected['after']}.tfvars") if "after" in expected else None
    found = differences(expected, planner(case.parent.name).plan(case, after))
    assert not found, f"{expected['guarantee']}\n" + "\n".join(found)


@pytest.mark.parametrize("case", cases(refused=True))
def test_bad_input_is_refused_with_the_remedy(case: Path, planner: Callable[[str], Planner]) -> None:
    with pytest.raises(DeploymentError) as refusal:
        planner(case.parent.name).plan(case)
    said, expected = refusals(str(refusal.value)), read(case)["errors"]
    if toolchain.find(target="local").kind == "tofu":  # it shows the first failed validation of a variable
        assert set(said) - set(expected) == set()
        assert said
    else:
        assert sorted(said) == sorted(expected)


def test_every_expectation_has_an_input() -> None:
    assert [file for file in CASES.glob("*/*.toml") if not file.with_suffix(".tfvars").exists()] == []
