import json

import pytest

from event_harness.terraform import hcl
from event_harness.terraform.generated import IMPLICIT_PROVIDER, OVERRIDE, TAGS_OVERRIDE
from event_harness.terraform.overrides import write_override

FUNCTION = 'resource "aws_lambda_function" "this" {\n  runtime = %s\n}\n'
URL = "http://127.0.0.1:1"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "main.tf").write_text(FUNCTION % '"python3.13"')
    (tmp_path / "main.tf").write_text('module "m" {\n  source = "./module"\n}\n')
    return tmp_path


def provider(root, text, name="provider.tf"):
    (root / name).write_text(text)


def override(directory, name=OVERRIDE):
    return json.loads((directory / name).read_text())


# skip_requesting_account_id has no effect without skip_credentials_validation: validation asks STS.
NEW_PROVIDER_SETTINGS = {
    "access_key": None,  # the key of the environment, whatever the configuration names
    "secret_key": None,
    "token": None,
    "skip_credentials_validation": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
    "skip_requesting_account_id": True,
}


def blocks(root):
    return override(root)["provider"]["aws"]


def tags_of(root):
    """The source text of the tags, by alias."""
    text = (root / TAGS_OVERRIDE).read_text()
    found = {}
    for block in hcl.block_texts(text, "provider", "aws"):
        body = hcl.inside(block)
        (tags,) = hcl.block_texts(body, "default_tags")
        found[hcl.parsed(body).get("alias")] = hcl.expression_text(hcl.inside(tags), "tags")
    return found


def test_new_provider_on_an_emulator_needs_no_endpoints_but_must_not_know_its_account(root):
    """It would put the account's number before an address by number, which nobody resolves."""
    provider(root, 'provider "aws" {}\n')
    write_override(root, endpoint_url=URL, old_provider=False, tags={"run": "r1"})
    (block,) = blocks(root)
    assert block == NEW_PROVIDER_SETTINGS
    assert not (root / "module" / OVERRIDE).exists()


def test_new_provider_that_nobody_configures_is_told_too(root):
    (root / "bucket.tf").write_text('resource "aws_s3_bucket" "b" {\n}\n')
    write_override(root, endpoint_url=URL, old_provider=False, copied=False)
    assert override(root, IMPLICIT_PROVIDER)["provider"]["aws"] == NEW_PROVIDER_SETTINGS


def test_configuration_without_resources_of_aws_is_given_no_provider(tmp_path):
    (tmp_path / "main.tf").write_text('resource "terraform_data" "d" {\n}\n')
    write_override(tmp_path, endpoint_url=URL, old_provider=True, tags={"run": "r1"})
    assert not (tmp_path / IMPLICIT_PROVIDER).exists()
    assert set(override(tmp_path)) == {"terraform"}


def test_old_provider_is_told_every_endpoint(root):
    provider(root, 'provider "aws" {}\n')
    write_override(root, endpoint_url=URL, old_provider=True)
    endpoints = blocks(root)[0]["endpoints"][0]
    assert set(endpoints.values()) == {URL}
    assert {"s3", "lambda", "sts", "ec2", "dynamodb"} <= set(endpoints)


@pytest.mark.parametrize(
    "own",
    [
        '{ "Team" = var.team }',
        "local.tags",
        'merge({ (var.team) = "v" }, local.tags)',
        "{\n      note = <<-EOT\n        a } b\n      EOT\n    }",
    ],
)
def test_tags_are_merged_with_the_users_in_their_own_words(root, own):
    provider(root, f'provider "aws" {{\n  default_tags {{\n    tags = {own}\n  }}\n}}\n')
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    assert tags_of(root) == {None: f'merge(\n{own},\n{{ run = "r1" }})'}


@pytest.mark.parametrize("form", [{"tags": {"a": "${var.b}"}}, [{"tags": {"a": "${var.b}"}}]])
@pytest.mark.parametrize("several", [False, True])
def test_tags_are_merged_with_those_in_json_syntax(root, form, several):
    block = {"default_tags": form}
    content = {"provider": {"aws": [block] if several else block}}
    provider(root, json.dumps(content), "provider.tf.json")
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    assert tags_of(root)[None].startswith("merge(")
    assert "var.b" in tags_of(root)[None]


def test_tags_of_an_override_file_count_as_terraform_merges_them(root):
    provider(root, 'provider "aws" {\n  default_tags {\n    tags = local.first\n  }\n}\n')
    provider(root, 'provider "aws" {\n  default_tags {\n    tags = local.last\n  }\n}\n', "a_override.tf")
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    assert "local.last" in tags_of(root)[None]


def test_aliased_providers_are_overridden_under_their_alias(root):
    provider(root, 'provider "aws" {}\nprovider "aws" {\n  alias = "us"\n}\n')
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    assert [block.get("alias") for block in blocks(root)] == [None, "us"]
    assert set(tags_of(root)) == {None, "us"}


def test_implied_default_provider_is_declared_so_that_its_resources_are_tagged(root):
    (root / "bucket.tf").write_text('resource "aws_s3_bucket" "b" {\n}\n')
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    assert override(root, IMPLICIT_PROVIDER)["provider"]["aws"]["default_tags"]["tags"] == {"run": "r1"}


LEADS_ELSEWHERE = """
provider "aws" {
  profile             = "default"
  allowed_account_ids = ["123456789012"]
  shared_config_files = ["~/.aws/config"]
  assume_role {
    role_arn = "arn:aws:iam::123456789012:role/deploy"
  }
  dynamic "assume_role_with_web_identity" {
    for_each = [1]
    content {}
  }
  endpoints {
    s3 = "http://localhost:4566"
  }
}
"""


def test_what_leads_a_provider_elsewhere_is_taken_away_on_an_emulator(root):
    provider(root, LEADS_ELSEWHERE)
    write_override(root, endpoint_url=URL, old_provider=False)
    (block,) = blocks(root)
    assert {name for name, value in block.items() if value is None} == {
        *("access_key", "secret_key", "token", "profile"),
        "allowed_account_ids",
        "shared_config_files",
    }
    assert set(block["dynamic"]) == {"assume_role", "assume_role_with_web_identity", "endpoints"}
    assert all(one["for_each"] == [] for one in block["dynamic"].values())


def test_what_leads_a_provider_elsewhere_counts_on_a_real_account(root):
    provider(root, LEADS_ELSEWHERE)
    write_override(root, endpoint_url=None, old_provider=False)
    assert "provider" not in override(root)


def test_module_that_configures_a_provider_of_its_own_is_overridden_there(root):
    provider(root / "module", 'provider "aws" {\n  region = "us-east-1"\n}\n')
    write_override(root, endpoint_url=URL, old_provider=False, tags={"run": "r1"})
    assert blocks(root / "module")[0]["skip_requesting_account_id"] is True
    assert (root / "module" / TAGS_OVERRIDE).exists()


def test_module_whose_empty_block_passes_on_the_callers_provider_is_left_alone(root):
    provider(root / "module", 'provider "aws" {\n  alias = "given"\n}\n')
    write_override(root, endpoint_url=URL, old_provider=False, tags={"run": "r1"})
    assert not (root / "module" / OVERRIDE).exists()


@pytest.mark.parametrize(
    "other", ["zz_override.tf", "provider_override.tf", "localstack_providers_override.tf"]
)
def test_names_of_the_overrides_sort_behind_those_of_the_user(other):
    assert min(OVERRIDE.encode(), TAGS_OVERRIDE.encode()) > other.encode()


def test_state_of_a_copy_stays_beside_it_whatever_backend_it_names(root):
    (root / "backend.tf").write_text('terraform {\n  backend "s3" {\n    bucket = "b"\n  }\n}\n')
    write_override(root, endpoint_url=None, old_provider=False)
    assert override(root)["terraform"] == {"backend": {"local": {}}}


def test_users_own_root_keeps_its_backend_and_its_modules_stay_untouched(root):
    provider(root, 'provider "aws" {}\n')
    written = write_override(root, endpoint_url=URL, old_provider=True, copied=False)
    assert written == [root / OVERRIDE]
    assert set(override(root)) == {"provider"}


def test_lock_of_other_providers_does_not_hold_for_those_of_the_mirror(root):
    lock = root / ".terraform.lock.hcl"
    lock.write_text('provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.69.1"\n}\n')
    write_override(root, endpoint_url=None, old_provider=False)
    write_override(root, endpoint_url=None, old_provider=True, copied=False)
    assert lock.exists()
    write_override(root, endpoint_url=None, old_provider=True)
    assert not lock.exists()


DYNAMIC_TAGS = """
provider "aws" {
  dynamic "default_tags" {
    for_each = var.tagged ? [var.team] : []
    iterator = it
    content {
      tags = { team = it.value, at = it.key }
    }
  }
}
"""
DYNAMIC_TAGS_IN_JSON = {
    "dynamic": {
        "default_tags": {
            "for_each": "${var.tagged ? [var.team] : []}",
            "iterator": "it",
            "content": {"tags": {"team": "${it.value}", "at": "${it.key}"}},
        }
    }
}


def test_dynamic_tags_are_merged_too_if_there_are_any(root):
    provider(root, DYNAMIC_TAGS)
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    native = "".join(tags_of(root)[None].split())
    assert native == (
        "merge(merge([foritin[forkey,valuein(var.tagged?[var.team]:[]):{key=key,value=value}]"
        ':({team=it.value,at=it.key})]...),{run="r1"})'
    )


def test_dynamic_tags_in_json_syntax_are_merged_too(root):
    provider(root, json.dumps({"provider": {"aws": DYNAMIC_TAGS_IN_JSON}}), "provider.tf.json")
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    text = "".join(tags_of(root)[None].split())
    assert text.startswith("merge(merge([foritin[forkey,valuein((var.tagged?[var.team]:[]))")
    assert text.endswith(')]...),{run="r1"})')


NAMED_OTHERWISE = """
terraform {
  required_providers {
    amazon = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_s3_bucket" "this" {
  provider = amazon
}
"""


def test_provider_of_another_local_name_is_overridden_under_that_name(root):
    provider(root, NAMED_OTHERWISE + 'provider "amazon" {\n  profile = "default"\n}\n')
    write_override(root, endpoint_url=URL, old_provider=False, tags={"run": "r1"})
    assert override(root)["provider"]["amazon"] == [NEW_PROVIDER_SETTINGS | {"profile": None}]
    (block,) = hcl.block_texts((root / TAGS_OVERRIDE).read_text(), "provider", "amazon")
    assert 'run = "r1"' in block
    assert not (root / IMPLICIT_PROVIDER).exists()


def test_implied_provider_of_another_local_name_is_declared_under_that_name(root):
    provider(root, NAMED_OTHERWISE)
    write_override(root, endpoint_url=URL, old_provider=False)
    assert list(override(root, IMPLICIT_PROVIDER)["provider"]) == ["amazon"]


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("4.67.0", True),
        ("5.0.0", True),
        ("5.40.0", False),
        ("5.100.0", False),
        ("6.69.1", False),
        (None, False),
    ],
)
def test_provider_that_does_not_read_the_address_from_the_environment_is_told_it(root, version, told):
    provider(root, 'provider "aws" {}\n')
    write_override(root, endpoint_url=URL, old_provider=False, version=version)
    (block,) = blocks(root)
    if told:
        assert block["endpoints"][0]["lambda"] == URL
        assert block["s3_use_path_style"] is True
        assert "s3_force_path_style" not in block
    else:
        knows_the_account = version in ("5.40.0", "5.100.0")
        left_out = {"skip_requesting_account_id"} if knows_the_account else set()
        assert block == {
            name: NEW_PROVIDER_SETTINGS[name] for name in NEW_PROVIDER_SETTINGS.keys() - left_out
        }


@pytest.mark.parametrize("version", ["3.39.0", "3.76.1"])
def test_release_before_4_is_told_the_address_in_its_own_words(root, version):
    provider(root, 'provider "aws" {}\n')
    write_override(root, endpoint_url=URL, old_provider=False, version=version)
    (block,) = blocks(root)
    assert block["endpoints"][0]["lambda"] == URL
    assert block["s3_force_path_style"] is True
    assert block["skip_get_ec2_platforms"] is True
    assert "s3_use_path_style" not in block
    assert "skip_requesting_account_id" not in block


@pytest.mark.parametrize(
    ("version", "skips"),
    [("4.67.0", False), ("5.100.0", False), ("6.22.1", False), ("6.23.0", True), (None, True)],
)
def test_provider_knows_the_account_unless_it_would_ask_s3_control_there(root, version, skips):
    provider(root, 'provider "aws" {}\n')
    write_override(root, endpoint_url=URL, old_provider=False, version=version)
    (block,) = blocks(root)
    assert block.get("skip_requesting_account_id", False) is skips
    assert block["skip_credentials_validation"] is True
