"""What a failed command of terraform is explained by, besides the provider in use."""

import pytest

from event_harness.deployments.terraform_calls import _missing
from event_harness.terraform.recovery import Failure

MISSING = """Error: No value for required variable

  on variables.tf line 1:
   1: variable "stage" {

The root module input variable "stage" is not set, and has no default value.
"""


def test_missing_variable_names_the_settings_that_give_it():
    assert _missing(Failure("plan", "", MISSING)) == (
        " (give it with --harness-var NAME=VALUE or --harness-var-file FILE)"
    )


@pytest.mark.parametrize("text", ["Error: Invalid value for variable\n", "Error: no\n", ""])
def test_another_failure_does_not(text):
    assert _missing(Failure("apply", "", text)) == ""
