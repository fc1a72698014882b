"""Runtimes that a provider doesn't know, from the texts of its errors; terraform isn't run here."""

import json
import shutil

import pytest

from event_harness.terraform.generated import RUNTIMES_OVERRIDE as OVERRIDE
from event_harness.terraform.modules import directories
from event_harness.terraform.provider_3_39 import limits
from event_harness.terraform.provider_in_use import ProviderInUse
from event_harness.terraform.recovery import Failure
from event_harness.terraform.runtime_overrides import newest_of_each_language
from event_harness.terraform.runtimes import RuntimeSubstitution
from event_harness.terraform.toolchain import Toolchain

FUNCTION = 'resource "aws_lambda_function" "{}" {{\n  runtime = {}\n}}\n'
# As 5.54 says it, cut short.
REFUSED = (
    'Error: expected runtime to be one of ["nodejs" "nodejs20.x" "nodejs18.x" "java21" "python3.9" '
    '"python3.12" "provided.al2023" "dotnet8" "dotnetcore3.1"], got python3.13\n\n'
    "  with aws_lambda_function.a,\n  on main.tf line 2, in resource:\n   2:   runtime = x\n"
)
KNOWN = [
    "nodejs",
    "nodejs20.x",
    "nodejs18.x",
    "java21",
    "python3.9",
    "python3.12",
    "provided.al2023",
    "dotnet8",
]


@pytest.fixture
def root(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / ".terraform.lock.hcl").write_text(
        'provider "registry.terraform.io/hashicorp/aws" {\n  version     = "5.54.0"\n}\n'
    )
    return tmp_path / "config"


@pytest.fixture
def substitution(tmp_path, root):
    def make(providers="registry"):
        tools = Toolchain(tmp_path / "terraform", "terraform", "1.11.4", providers, tmp_path / "own.tfrc")
        (tmp_path / "cache").mkdir(exist_ok=True)
        return RuntimeSubstitution(
            ProviderInUse(tools, root), root, tmp_path / "data", cache=tmp_path / "cache"
        )

    return make


def runtimes(directory):
    functions = json.loads((directory / OVERRIDE).read_text())["resource"]["aws_lambda_function"]
    return {name: body["runtime"] for name, body in functions.items()}


def refusal(command="apply"):
    return Failure(command, "", REFUSED)


def test_function_gets_the_newest_runtime_of_its_language_that_the_providers_error_lists(root, substitution):
    (root / "main.tf").write_text(
        FUNCTION.format("a", '"python3.13"')
        + FUNCTION.format("b", '"nodejs22.x"')
        + FUNCTION.format("known", '"java21"')
        + FUNCTION.format("other", '"ruby3.4"')  # the provider knows no Ruby: its own error is right
    )
    line = substitution()(refusal(), 0)
    assert runtimes(root) == {"a": "python3.12", "b": "nodejs20.x"}
    assert line == (
        "hashicorp/aws 5.54.0 knows no Lambda runtime after nodejs20.x, python3.12: python3.12 stands in for "
        "python3.13; nodejs20.x stands in for nodejs22.x (on the emulator only, which runs each language in "
        "one version)"
    )


def test_another_error_changes_nothing(root, substitution):
    (root / "main.tf").write_text(FUNCTION.format("a", '"python3.13"'))
    assert substitution()(Failure("apply", "", "Error: no\n"), 0) is None
    assert not (root / OVERRIDE).exists()


def test_runtime_that_is_still_refused_after_the_substitution_is_an_error(root, substitution):
    (root / "main.tf").write_text(FUNCTION.format("a", '"python3.13"'))
    assert substitution()(refusal(), 1) is None


def test_next_deployment_with_the_same_provider_needs_no_failure(root, substitution):
    (root / "main.tf").write_text(FUNCTION.format("a", '"python3.13"'))
    assert substitution().prepare() is None
    substitution()(refusal(), 0)
    (root / OVERRIDE).unlink()
    assert "python3.12 stands in for python3.13" in substitution().prepare()
    assert runtimes(root) == {"a": "python3.12"}


def test_old_provider_needs_no_failure_at_all(root, substitution):
    (root / "main.tf").write_text(FUNCTION.format("a", '"python3.13"') + FUNCTION.format("b", '"nodejs22.x"'))
    assert substitution("mirror").prepare()
    assert runtimes(root) == {"a": "python3.8", "b": "nodejs14.x"}


def test_root_whose_runtimes_are_all_known_is_left_alone_and_nothing_is_said(root, substitution):
    (root / "main.tf").write_text(FUNCTION.format("a", '"python3.8"') + 'resource "aws_sqs_queue" "q" {}\n')
    assert substitution("mirror").prepare() is None
    assert not (root / OVERRIDE).exists()


def test_functions_of_every_module_and_of_json_files_are_found(tmp_path, root, substitution):
    module = tmp_path / "modules" / "m"
    module.mkdir(parents=True)
    (module / "main.tf.json").write_text(
        json.dumps({"resource": [{"aws_lambda_function": [{"j": {"runtime": "python3.13"}}]}]})
    )
    (root / "main.tf").write_text(FUNCTION.format("a", '"python3.13"'))
    (root / "broken.tf").write_text("resource {")  # terraform reports it
    manifest(tmp_path / "data", {"": ".", "m": "../modules/m"})
    substitution()(refusal(), 0)
    assert runtimes(root) == {"a": "python3.12"}
    assert runtimes(module) == {"j": "python3.12"}


def test_layer_names_only_runtimes_that_the_provider_knows(root, substitution):
    (root / "main.tf").write_text(
        'resource "aws_lambda_layer_version" "l" {\n'
        '  compatible_runtimes = ["python3.13", "java21", "python${var.old}"]\n}\n'
        'resource "aws_lambda_layer_version" "known" {\n  compatible_runtimes = ["python3.12"]\n}\n'
    )
    refused = REFUSED.replace("expected runtime to", "expected compatible_runtimes.0 to")
    assert "python3.12 stands in for python3.13" in substitution()(Failure("plan", "", refused), 0)
    layers = json.loads((root / OVERRIDE).read_text())["resource"]["aws_lambda_layer_version"]
    first, second, third = layers.pop("l")["compatible_runtimes"]
    assert (first, second, layers) == ("python3.12", "java21", {})
    assert third.startswith("${try(")


def test_runtime_that_is_an_expression_becomes_an_expression(root, substitution):
    """tests/plan lets terraform evaluate such expressions."""
    (root / "main.tf").write_text(FUNCTION.format("a", "var.runtime"))
    line = substitution()(refusal(), 0)
    assert runtimes(root)["a"].startswith("${try(tolist([for runtime in (var.runtime) : ")
    assert "a newer runtime gets the newest of its language" in line


def test_newest_of_a_language_goes_by_number():
    assert newest_of_each_language(KNOWN) == {
        "nodejs": "nodejs20.x",
        "java": "java21",
        "python": "python3.12",
        "provided": "provided.al2023",
        "dotnet": "dotnet8",
    }
    assert newest_of_each_language(limits.RUNTIMES)["nodejs"] == "nodejs14.x"
    assert newest_of_each_language(["python3.9", "python3.10"]) == {"python": "python3.10"}


def manifest(data, directories):
    """What `terraform init` writes."""
    (data / "modules").mkdir(parents=True, exist_ok=True)
    modules = [{"Key": key, "Source": "…", "Dir": str(place)} for key, place in directories.items()]
    (data / "modules" / "modules.json").write_text(json.dumps({"Modules": modules}))


def test_module_of_an_absolute_path_is_copied_and_the_users_own_stays_untouched(tmp_path, root, substitution):
    package = tmp_path / "package"
    for directory in ("modules/listener", "modules/function", ".git", ".venv"):
        (package / directory).mkdir(parents=True)
    (package / "modules/listener/main.tf").write_text('module "f" {\n  source = "../function"\n}\n')
    (package / "modules/function/main.tf").write_text(FUNCTION.format("a", '"python3.13"'))
    (root / "main.tf").write_text("")
    data, before = tmp_path / "data", sorted(package.rglob("*"))
    manifest(
        data,
        {"": ".", "m": f"{data}/modules/m/modules/listener", "m.f": f"{package}/modules/function"},
    )
    (data / "modules" / "m").symlink_to(package)
    assert substitution("mirror").prepare()
    assert substitution("mirror").prepare()
    copied = data / "modules" / "m"
    assert sorted(package.rglob("*")) == before
    assert runtimes(copied / "modules/function") == {"a": "python3.8"}
    assert not (copied / ".git").exists()
    assert not (copied / ".venv").exists()
    assert directories(root, data) == [root, copied / "modules/listener", copied / "modules/function"]


def test_module_that_a_link_leads_to_is_the_users_own_and_stays_untouched(tmp_path, root, substitution):
    deployment = tmp_path / "deployment"
    shutil.move(root, deployment / "config")
    users = tmp_path / "users"
    users.mkdir()
    (users / "main.tf").write_text(FUNCTION.format("a", '"python3.13"'))
    (deployment / "m").symlink_to(users)
    manifest(deployment / "data", {"": ".", "m": "../m"})
    assert directories(deployment / "config", deployment / "data") == [deployment / "config"]


def test_root_without_modules_is_its_only_directory(tmp_path, root):
    assert directories(root, tmp_path / "data") == [root]
    assert not (tmp_path / "data").exists()
