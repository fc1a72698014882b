import json

import pytest

from event_harness.errors import DestroyError
from event_harness.terraform import emptied, hcl, state_file
from event_harness.terraform.configuration import Configuration

PROVIDERS = """
provider "aws" {
  region              = var.region
  allowed_account_ids = ["123456789012"]
  max_retries         = 3
  assume_role {
    role_arn    = local.role
    external_id = "x"
  }
}
provider "aws" {
  alias  = "us"
  region = "us-east-1"
}
"""


@pytest.fixture
def found(tmp_path):
    (tmp_path / "main.tf").write_text(PROVIDERS)
    return emptied.expressions(Configuration.read(tmp_path))


def test_only_what_is_not_constant_is_asked_of_terraform(found):
    asked = emptied.questions(found)
    everything, region = asked.lines
    assert everything == (
        'jsonencode({ "/region" = local.event_harness_0, "/assume_role" = local.event_harness_1 })\n'
    )
    assert region == 'jsonencode({ "/region" = local.event_harness_0 })\n'
    values = hcl.parsed(asked.locals)["locals"]
    assert values["event_harness_0"] == "var.region"
    assert values["event_harness_1"]["role_arn"] == "local.role"
    assert "us-east-1" not in asked.locals


def test_nothing_is_asked_if_all_is_constant():
    assert emptied.questions({"": {"region": '"x"'}}).lines == ()


def test_blocks_have_the_values_that_terraform_has_told(found):
    role = {"role_arn": "arn:r", "external_id": "x"}
    answer = json.dumps(json.dumps({"/region": "eu-west-3", "/assume_role": role}))
    assert emptied.evaluated(found, emptied.answered(answer)) == [
        {"region": "eu-west-3", "allowed_account_ids": ["123456789012"], "assume_role": role},
        {"alias": "us", "region": "us-east-1"},
    ]


@pytest.mark.parametrize("answer", ["", "(known after apply)", "Error: no", "1", '"1"'])
def test_what_terraform_does_not_know_yet_is_left_out(found, answer):
    first, second = emptied.evaluated(found, emptied.answered(answer))
    assert second == {"alias": "us", "region": "us-east-1"}
    assert "region" not in first


@pytest.mark.parametrize(
    "expression",
    [
        "(\n    # why\n    var.a\n    ? var.b : var.c\n  )",
        'lookup({ # by stage\n    a = "us-east-1"\n    b = "us-east-2"\n  }, var.stage)',
        "trimspace(<<-EOT\n    ${var.region}\n  EOT\n  )",
    ],
)
def test_expression_of_several_lines_is_asked_as_it_was_written(tmp_path, expression):
    inside = f"assume_role {{\n  role_arn = {expression}\n  external_id = var.x\n}}"
    (tmp_path / "main.tf").write_text(f'provider "aws" {{\n  region = {expression}\n  {inside}\n}}\n')
    asked = emptied.questions(emptied.expressions(Configuration.read(tmp_path)))
    assert asked.locals.count(expression) == 2
    values = hcl.parsed(asked.locals)["locals"]
    assert sorted(values["event_harness_1"]) == ["external_id", "role_arn"]


def test_json_syntax_is_read_too(tmp_path):
    block = {"region": "eu-${var.region}", "profile": "p"}
    (tmp_path / "main.tf.json").write_text(json.dumps({"provider": {"aws": [block]}}))
    found = emptied.expressions(Configuration.read(tmp_path))
    asked = emptied.questions(found)
    assert "eu-${var.region}" in hcl.parsed(asked.locals)["locals"]["event_harness_0"]
    assert emptied.evaluated(found, {}) == [{"profile": "p"}]


@pytest.mark.parametrize(
    ("text", "value"),
    [('"a"', "a"), ('["a", "b"]', ["a", "b"]), ("true", True), ("null", None), ("-1.5", -1.5)],
)
def test_constants_are_told_from_expressions(text, value):
    assert emptied.constant(text) == (True, value)


@pytest.mark.parametrize("text", ["var.a", '"${var.a}"', '"%{ if a }b%{ endif }"', '["${a}"]', "local.a"])
def test_expressions_are_told_from_constants(text):
    assert emptied.constant(text) == (False, None)


def test_empty_root_requires_the_providers_of_the_state(tmp_path):
    addresses = [
        'provider["registry.terraform.io/hashicorp/aws"].us',
        'provider["registry.terraform.io/hashicorp/aws"]',
        'provider["registry.terraform.io/datadog/datadog"]',
    ]
    emptied.write(tmp_path / "root", {"local": {"path": "s.tfstate"}}, addresses, [{"region": "x"}])
    content = json.loads((tmp_path / "root/main.tf.json").read_text())
    assert content["terraform"]["backend"] == {"local": {"path": "s.tfstate"}}
    assert content["provider"] == {"aws": [{"region": "x"}]}
    assert content["terraform"]["required_providers"] == {
        "aws": {"source": "registry.terraform.io/hashicorp/aws"},
        "datadog": {"source": "registry.terraform.io/datadog/datadog"},
    }


def test_provider_that_a_module_configures_is_refused(tmp_path):
    with pytest.raises(DestroyError, match="is configured in a module"):
        emptied.write(
            tmp_path, {"local": {}}, ['module.m.provider["registry.terraform.io/hashicorp/aws"]'], []
        )


def test_providers_of_data_sources_are_needed_too(tmp_path):
    state = {"resources": [{"mode": "data", "provider": "b"}, {"mode": "managed", "provider": "a"}]}
    (tmp_path / "s.tfstate").write_text(json.dumps(state))
    assert state_file.providers(tmp_path / "s.tfstate") == ["a", "b"]
