"""What a failed command of terraform is explained by, besides the provider in use."""

import pytest

from event_harness.deployments import hints
from event_harness.terraform.recovery import Failure

MISSING = """Error: No value for required variable

  on variables.tf line 1:
   1: variable "stage" {

The root module input variable "stage" is not set, and has no default value.
"""


def test_missing_variable_names_the_settings_that_give_it():
    assert hints.of(Failure("plan", "", MISSING)) == (
        " (give it with --harness-var NAME=VALUE or --harness-var-file FILE)"
    )


@pytest.mark.parametrize("text", ["Error: Invalid value for variable\n", "Error: no\n", ""])
def test_another_failure_does_not(text):
    assert hints.of(Failure("apply", "", text)) == ""


WORKSPACE = """Error: Invalid index

  on main.tf line 6, in locals:
   6:   env = local.all[terraform.workspace]
    |----------------
    | local.all is object with 2 attributes
    | terraform.workspace is "d1m8az809299wa"

The given key does not identify an element in this collection value.
"""


def test_value_that_depends_on_the_workspace_needs_a_default_or_another_workspace():
    said = hints.of(Failure("plan", "", WORKSPACE))
    assert "--harness-workspace" in said
    assert "the deployment's id elsewhere" in said
    assert "lookup(local.sizes, terraform.workspace, local.sizes.default)" in said


def test_what_is_left_out_names_the_setting_that_includes_it():
    said = hints.of(Failure("plan", "", "Error: no file exists at ./.tox/x\n"))
    assert said == " (.tox is left out of a deployment's copy: --harness-include=.tox copies it)"


def test_the_place_of_the_copy_itself_is_nothing_that_is_left_out():
    text = "Error: no plugin\n/p/.event-harness/deployments/d1/data/providers/archive: not found\n"
    assert hints.of(Failure("apply", "", text)) == ""
    assert "(.tox is left out" in hints.of(Failure("apply", "", f"{text}no file exists at ./.tox/x\n"))
