import pytest

from event_harness.terraform.cli_config import REGISTRY
from event_harness.terraform.provider_in_use import ProviderInUse
from event_harness.terraform.recovery import Failure
from event_harness.terraform.toolchain import Toolchain

LOCK = """
provider "registry.terraform.io/hashicorp/archive" {
  version     = "2.7.1"
}

provider "registry.terraform.io/hashicorp/aws" {
  version     = "6.69.1"
  constraints = ">= 3.39.0, < 7.0.0"
}
"""


@pytest.fixture
def provider(tmp_path):
    def make(providers="registry", why="", config=REGISTRY):
        tools = Toolchain(tmp_path / "tf", "terraform", "1.11.4", providers, tmp_path / config, why)
        return ProviderInUse(tools, tmp_path)

    return make


def test_old_provider_is_said_with_the_reason_for_it(provider):
    said = str(provider("mirror", "since the registry can't be reached"))
    assert said == "hashicorp/aws 3.39.0 from the PyPI mirror, since the registry can't be reached"


def test_version_of_a_provider_from_the_registry_is_in_the_lock_file(provider, tmp_path):
    assert str(provider()) == "hashicorp/aws from registry.terraform.io"  # before init
    (tmp_path / ".terraform.lock.hcl").write_text(LOCK)
    assert str(provider()) == "hashicorp/aws 6.69.1 from registry.terraform.io"


def test_users_own_cli_configuration_is_named(provider, tmp_path):
    said = str(provider(why="as EVENT_HARNESS_PROVIDERS says", config="mine.tfrc"))
    assert said == f"hashicorp/aws from where {tmp_path}/mine.tfrc says, as EVENT_HARNESS_PROVIDERS says"


@pytest.mark.parametrize("command", ["init", "validate", "plan", "apply"])
def test_every_failed_command_says_which_provider_it_used(provider, command):
    explained = provider("mirror").explain(Failure(command, "", "Error: no\n"))
    assert explained == "; hashicorp/aws 3.39.0 from the PyPI mirror"


def test_destroy_and_output_say_nothing_of_it(provider):
    assert provider("mirror").explain(Failure("destroy", "", "Error: no\n")) == ""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            "Unsupported argument\n\n  on main.tf line 3, in resource:\n   3: x = 1\n\n"
            'An argument named "x" is not expected here.',
            "hashicorp/aws 3.39.0 doesn't know it; if a newer release does",
        ),
        ("Unsupported block type\n\nBlocks of type x", "hashicorp/aws 3.39.0 doesn't know it"),
        ('Invalid resource type\n\nThe provider hashicorp/aws does not support "aws_x"', "doesn't know it"),
        (
            "Failed to query available provider packages\n\nCould not retrieve the list of available "
            "versions for provider hashicorp/aws: no available releases match the given constraints ~> 6.0",
            "the mirror holds hashicorp/aws 3.39.0 only, and the configuration excludes it",
        ),
        (
            "Failed to query available provider packages\n\nCould not retrieve the list of available "
            "versions for provider hashicorp/random: provider registry.terraform.io/hashicorp/random was not "
            "found in any of the search locations",
            "the mirror holds hashicorp/aws 3.39.0 and hashicorp/archive only: to use another provider, give",
        ),
        ("expected object_ownership to be one of [A B], got C", "knows these values only"),
    ],
)
def test_what_the_old_provider_does_not_know_names_the_ways_out(provider, error, reason):
    explained = provider("mirror").explain(Failure("plan", "", f"Error: {error}\n"))
    assert reason in explained
    assert "access to the registry" in explained
    assert "network mirror in TF_CLI_CONFIG_FILE" in explained
    assert provider().explain(Failure("plan", "", f"Error: {error}\n")).count(";") == 1
