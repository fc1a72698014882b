import json

import pytest

from event_harness.terraform.configuration import IMPLICIT_PROVIDER, OVERRIDE
from event_harness.terraform.overrides import write_override

FUNCTION = 'resource "aws_lambda_function" "this" {\n  runtime = "%s"\n}\n'


@pytest.fixture
def root(tmp_path):
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "main.tf").write_text(FUNCTION % "python3.13")
    (tmp_path / "main.tf").write_text('module "m" {\n  source = "./module"\n}\n')
    return tmp_path


def provider(root, text):
    (root / "provider.tf").write_text(text)


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


def test_new_provider_on_an_emulator_needs_no_endpoints_but_must_not_ask_for_its_account(root):
    """It would put the account's number before the emulator's address, and no such name can be resolved."""
    provider(root, 'provider "aws" {}\n')
    write_override(root, endpoint_url="http://127.0.0.1:1", old_provider=False, tags={"run": "r1"})
    (block,) = override(root)["provider"]["aws"]
    assert block.pop("default_tags")
    assert block == NEW_PROVIDER_SETTINGS
    assert not (root / "module" / OVERRIDE).exists()


def test_new_provider_without_a_provider_block_gets_the_same_settings(root):
    write_override(root, endpoint_url="http://127.0.0.1:1", old_provider=False, copied=False)
    assert override(root, IMPLICIT_PROVIDER)["provider"]["aws"] == NEW_PROVIDER_SETTINGS


def test_old_provider_gets_the_endpoint_of_every_service(root):
    provider(root, 'provider "aws" {}\n')
    write_override(root, endpoint_url="http://127.0.0.1:1", old_provider=True)
    block = override(root)["provider"]["aws"][0]
    assert set(block["endpoints"][0].values()) == {"http://127.0.0.1:1"}
    assert {"s3", "lambda", "sts", "ec2", "dynamodb"} <= set(block["endpoints"][0])


def test_old_provider_gets_a_runtime_that_it_knows_in_every_module(root):
    provider(root, 'provider "aws" {}\n' + FUNCTION % "${var.runtime}")
    write_override(root, endpoint_url="http://127.0.0.1:1", old_provider=True)
    for directory in (root, root / "module"):
        assert override(directory)["resource"]["aws_lambda_function"]["this"]["runtime"] == "python3.8"


def test_runtime_of_another_language_is_left_alone(root):
    (root / "module" / "main.tf").write_text(FUNCTION % "nodejs12.x")
    write_override(root, endpoint_url="http://127.0.0.1:1", old_provider=True)
    assert not (root / "module" / OVERRIDE).exists()


def test_tags_are_merged_with_those_that_the_provider_has(root):
    provider(root, 'provider "aws" {\n  default_tags {\n    tags = { "Team" = var.team }\n  }\n}\n')
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    tags = override(root)["provider"]["aws"][0]["default_tags"][0]["tags"]
    assert tags == '${merge({ "Team" = var.team }, { "run" = "r1" })}'


def test_tags_are_merged_with_an_expression(root):
    provider(root, 'provider "aws" {\n  default_tags {\n    tags = local.tags\n  }\n}\n')
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    tags = override(root)["provider"]["aws"][0]["default_tags"][0]["tags"]
    assert tags == '${merge(local.tags, { "run" = "r1" })}'


def test_aliased_providers_are_overridden_under_their_alias(root):
    provider(root, 'provider "aws" {}\nprovider "aws" {\n  alias = "us"\n}\n')
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    assert [block.get("alias") for block in override(root)["provider"]["aws"]] == [None, "us"]


def test_implied_default_provider_is_declared_so_that_its_resources_are_tagged(root):
    write_override(root, endpoint_url=None, old_provider=False, tags={"run": "r1"})
    assert "run" in override(root, IMPLICIT_PROVIDER)["provider"]["aws"]["default_tags"][0]["tags"]


def test_state_of_a_copy_stays_beside_it_whatever_backend_it_names(root):
    (root / "backend.tf").write_text('terraform {\n  backend "s3" {\n    bucket = "b"\n  }\n}\n')
    write_override(root, endpoint_url=None, old_provider=False)
    assert override(root)["terraform"] == {"backend": {"local": {}}}


def test_users_own_root_keeps_its_backend_and_its_modules_stay_untouched(root):
    provider(root, 'provider "aws" {}\n')
    written = write_override(root, endpoint_url="http://127.0.0.1:1", old_provider=True, copied=False)
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
