"""Modules that Terraform fetches are adapted in the deployment's own copy, and nowhere else."""

import json

import pytest

from event_harness.terraform.configuration import OVERRIDE
from event_harness.terraform.provider_3_39.fetched_modules import adapt_fetched_modules

FUNCTION = 'resource "aws_lambda_function" "this" {\n  runtime = "python3.13"\n}\n'


@pytest.fixture
def package(tmp_path):
    """A repository with two modules, and what never belongs to a copy."""
    for directory in ("modules/listener", "modules/function", ".git", ".venv"):
        (tmp_path / "package" / directory).mkdir(parents=True)
    (tmp_path / "package/modules/listener/main.tf").write_text('module "f" {\n  source = "../function"\n}\n')
    (tmp_path / "package/modules/function/main.tf").write_text(FUNCTION)
    return tmp_path / "package"


def manifest(data, package):
    """What init writes for a root that names the package's listener."""
    (data / "modules").mkdir(parents=True, exist_ok=True)
    modules = [
        {"Key": "", "Source": "", "Dir": "."},
        {"Key": "m", "Source": "…", "Dir": f"{data}/modules/m/modules/listener"},
        {"Key": "m.f", "Source": "../function", "Dir": f"{package}/modules/function"},
    ]
    (data / "modules" / "modules.json").write_text(json.dumps({"Modules": modules}))


def runtime_in(directory):
    return json.loads((directory / OVERRIDE).read_text())["resource"]["aws_lambda_function"]["this"]


def test_function_of_a_module_from_git_gets_a_runtime_that_the_old_provider_knows(tmp_path, package):
    data = tmp_path / "data"
    (data / "modules").mkdir(parents=True)
    package.rename(data / "modules" / "m")
    manifest(data, data / "modules" / "m")
    adapt_fetched_modules(data)
    assert runtime_in(data / "modules/m/modules/function") == {"runtime": "python3.8"}
    assert not (data / "modules/m/modules/listener" / OVERRIDE).exists()


def test_module_of_an_absolute_path_is_copied_and_the_original_stays_untouched(tmp_path, package):
    data = tmp_path / "data"
    manifest(data, package)
    (data / "modules" / "m").symlink_to(package)
    before = sorted(package.rglob("*"))
    adapt_fetched_modules(data)
    adapt_fetched_modules(data)
    assert sorted(package.rglob("*")) == before
    copied = data / "modules" / "m"
    assert runtime_in(copied / "modules/function") == {"runtime": "python3.8"}
    assert not (copied / ".git").exists()
    assert not (copied / ".venv").exists()
    directories = [m["Dir"] for m in json.loads((data / "modules/modules.json").read_text())["Modules"]]
    assert directories == [".", f"{copied}/modules/listener", f"{copied}/modules/function"]


def test_root_without_modules_needs_nothing(tmp_path):
    adapt_fetched_modules(tmp_path / "data")
    assert not (tmp_path / "data").exists()
