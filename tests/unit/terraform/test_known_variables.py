"""A variable counts as known only if nothing else than its default or the command line can set it."""

import pytest

from event_harness.terraform import known_variables
from event_harness.terraform.configuration import Configuration

VARIABLES = """
variable "region" {
  type    = string
  default = "eu-west-1"
}
variable "asked" {
  type = string
}
variable "number" {
  type    = number
  default = 1
}
"""


@pytest.fixture
def configuration(tmp_path):
    (tmp_path / "variables.tf").write_text(VARIABLES)
    return Configuration.read(tmp_path)


@pytest.mark.parametrize(
    ("expression", "given", "constant"),
    [
        ("var.region", {}, '"eu-west-1"'),
        (" var.region\n", {}, '"eu-west-1"'),
        ("var.region", {"region": "us-east-1"}, '"us-east-1"'),
        ("var.asked", {"asked": "a${b}"}, '"a$${b}"'),
        ("var.asked", {}, "var.asked"),
        ("var.number", {}, "var.number"),
        ("var.number", {"number": 2}, "var.number"),
        ("var.unknown", {}, "var.unknown"),
        ("local.region", {}, "local.region"),
        ("var.region.x", {}, "var.region.x"),
        ("lower(var.region)", {}, "lower(var.region)"),
    ],
)
def test_only_a_text_that_is_certain_takes_the_place_of_a_variable(
    configuration, expression, given, constant
):
    assert known_variables.constant_of(expression, configuration, given) == constant


def test_default_is_not_certain_where_something_else_may_set_it(configuration):
    assert (
        known_variables.constant_of("var.region", configuration, {}, elsewhere=["a.tfvars"]) == "var.region"
    )
    given = {"region": "us-east-1"}  # counts before all else
    found = known_variables.constant_of("var.region", configuration, given, elsewhere=["a.tfvars"])
    assert found == '"us-east-1"'


@pytest.mark.parametrize(
    "name", ["terraform.tfvars", "terraform.tfvars.json", "x.auto.tfvars", "x.auto.tfvars.json"]
)
def test_file_that_terraform_loads_may_set_variables(configuration, name):
    assert list(known_variables.set_elsewhere(configuration, {"PATH": "x"})) == []
    (configuration.directory / "other.tfvars").write_text("")
    assert list(known_variables.set_elsewhere(configuration, {})) == []
    (configuration.directory / name).write_text("")
    assert list(known_variables.set_elsewhere(configuration, {})) == [name]


def test_environment_of_terraform_may_set_variables(configuration):
    assert list(known_variables.set_elsewhere(configuration, {"TF_VAR_region": "x"})) == ["TF_VAR_region"]
