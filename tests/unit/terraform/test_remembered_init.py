"""What init has left is used again only where init would leave the same; init itself is a fake here."""

import json
import os

import pytest

from event_harness.terraform.remembered_init import RememberedInit
from event_harness.terraform.toolchain import Toolchain

ROOT = 'module "queue" {\n  source = "./queue"\n}\n'
QUEUE = 'resource "aws_sqs_queue" "this" {}\n'
LOCK = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.0.0"\n}\n'
NAME = "registry.terraform.io/hashicorp/aws/6.0.0/linux_amd64"


class Deployment:
    """One deployment of a project: its copy, its TF_DATA_DIR, and what it remembers."""

    def __init__(self, tmp_path, name, *, files=(), settings=("1.11.4",), one_version=False, lock=LOCK):
        self.config, self.data = tmp_path / name / "config", tmp_path / name / "data"
        self.state = f"terraform.tfstate.d/{name}/terraform.tfstate"
        self.plugins = tmp_path / "plugins"
        (self.plugins / NAME).mkdir(parents=True, exist_ok=True)
        for file, text in {"main.tf": ROOT, "queue/main.tf": QUEUE, **dict(files)}.items():
            (self.config / file).parent.mkdir(parents=True, exist_ok=True)
            (self.config / file).write_text(text)
        if lock is not None:
            (self.config / ".terraform.lock.hcl").write_text(lock)
        self.memory = RememberedInit(
            tmp_path / "memory",
            configuration=self.config,
            data_dir=self.data,
            state=self.state,
            settings=settings,
            one_version=one_version,
        )

    def init(self, *, lock=LOCK):
        """Do what `terraform init` does, and remember it."""
        link = self.data / "providers" / NAME
        link.parent.mkdir(parents=True)
        link.symlink_to(self.plugins / NAME)
        (self.data / "modules").mkdir()
        (self.data / "modules" / "modules.json").write_text('{"Modules": []}')
        backend = {"backend": {"type": "local", "config": {"path": self.state}, "hash": 1}}
        (self.data / "terraform.tfstate").write_text(json.dumps(backend))
        (self.config / ".terraform.lock.hcl").write_text(lock)
        self.memory.keep()
        return self

    def left(self):
        """All that init has left, by its place."""
        found = {}
        for path in self.data.rglob("*"):
            if path.is_symlink():
                found[str(path.relative_to(self.data))] = os.readlink(path)
            elif path.is_file():
                text = path.read_text()
                found[str(path.relative_to(self.data))] = json.loads(text) if "tfstate" in path.name else text
        return found | {"lock": (self.config / ".terraform.lock.hcl").read_text()}


@pytest.fixture
def deployment(tmp_path):
    return lambda name, **settings: Deployment(tmp_path, name, **settings)


def test_second_deployment_gets_what_init_has_left_with_a_state_of_its_own(deployment):
    one, two = deployment("one").init(), deployment("two")
    assert two.memory.restore()
    theirs = one.left()
    theirs["terraform.tfstate"]["backend"]["config"]["path"] = two.state
    assert two.left() == theirs


def test_nothing_is_known_before_the_first_init(deployment):
    assert not deployment("one").memory.restore()


@pytest.mark.parametrize(
    "changed",
    [
        {"files": {"main.tf": ROOT + "# a comment\n"}},
        {"files": {"more.tf": 'provider "aws" {}\n'}},
        {"files": {"queue/main.tf": QUEUE + 'resource "random_pet" "this" {}\n'}},
        {"files": {"queue/versions.tf": 'terraform {\n  required_version = "> 1"\n}\n'}},
        {"lock": LOCK.replace("6.0.0", "6.1.0")},
        {"lock": None},
        {"settings": ("1.12.0",)},
        {"one_version": True},
    ],
    ids=str,
)
def test_whatever_init_reads_makes_it_run_again_if_it_has_changed(deployment, changed):
    deployment("one").init()
    two = deployment("two", **changed)
    assert not two.memory.restore()
    assert not two.data.exists()


@pytest.mark.parametrize(
    "source", ["terraform-aws-modules/sqs/aws", "git::https://example.com/queue.git", "/srv/queue"]
)
def test_module_that_is_fetched_may_change_so_init_runs(deployment, source):
    files = {"main.tf": ROOT + f'module "other" {{\n  source = "{source}"\n}}\n'}
    deployment("one", files=files).init()
    assert not deployment("two", files=files).memory.restore()


def test_file_that_is_not_valid_is_left_to_terraform(deployment):
    files = {"queue/main.tf": "resource {"}
    deployment("one", files=files).init()
    assert not deployment("two", files=files).memory.restore()


def test_without_a_lock_file_init_looks_for_newer_providers(deployment):
    deployment("one", lock=None).init()
    assert not deployment("two", lock=None).memory.restore()


def test_init_that_has_changed_the_lock_file_is_not_remembered(deployment):
    deployment("one").init(lock=LOCK + "# more hashes\n")
    assert not deployment("two").memory.restore()


def test_where_providers_have_one_version_no_lock_file_is_needed(deployment):
    deployment("one", lock=None, one_version=True).init()
    two = deployment("two", lock=None, one_version=True)
    assert two.memory.restore()
    assert two.left()["lock"] == LOCK


def test_provider_that_was_copied_is_not_remembered(deployment):
    one = deployment("one")
    copied = one.data / "providers" / "example.com" / "own" / "1.0.0" / "linux_amd64"
    copied.mkdir(parents=True)
    (copied / "terraform-provider-own_v1.0.0").write_text("program")
    one.init()
    assert not deployment("two").memory.restore()


def test_provider_that_is_gone_is_linked_by_init(deployment):
    one, two = deployment("one").init(), deployment("two")
    (one.plugins / NAME).rmdir()
    assert not two.memory.restore()
    assert not two.data.exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"links": {}}', "no JSON"])
def test_memory_that_was_damaged_is_no_memory(deployment, tmp_path, text):
    deployment("one").init()
    (memory,) = (tmp_path / "memory").iterdir()
    memory.write_text(text)
    assert not deployment("two").memory.restore()


def test_memory_of_a_configuration_that_nobody_deploys_any_more_is_deleted(deployment, tmp_path):
    old = tmp_path / "memory" / "old.json"
    old.parent.mkdir()
    old.write_text("{}")
    os.utime(old, (1, 1))
    deployment("one").init()
    assert not old.exists()
    assert deployment("two").memory.restore()


def test_two_states_of_a_configuration_are_both_remembered(deployment):
    deployment("one").init()
    deployment("two", files={"main.tf": "locals {}\n"}).init()
    assert deployment("three").memory.restore()
    assert deployment("four", files={"main.tf": "locals {}\n"}).memory.restore()


def test_what_is_forgotten_needs_init(deployment):
    deployment("one").init()
    deployment("two").memory.forget()
    assert not deployment("three").memory.restore()


def test_kept_deployment_loses_the_links_of_its_last_init(deployment):
    deployment("one").init()
    two = deployment("two")
    old = two.data / "providers" / "registry.terraform.io" / "hashicorp" / "aws" / "5.0.0"
    old.mkdir(parents=True)
    (two.data / "modules").mkdir()
    (two.data / "modules" / "modules.json").write_text("{}")
    assert two.memory.restore()
    assert not old.exists()
    assert two.left()["modules/modules.json"] == '{"Modules": []}'


@pytest.fixture
def of(tmp_path):
    """A function that makes the memory for a toolchain and an environment."""
    config = tmp_path / "project.tfrc"
    config.write_text("disable_checkpoint = true\n")
    one = Deployment(tmp_path, "one", lock=None)

    def make(environ=(), *, cli_config=config, version="1.11.4"):
        tools = Toolchain(tmp_path / "terraform", "terraform", version, "mirror", cli_config)
        return RememberedInit.of(
            tools,
            {"HOME": "/home/somebody", "TF_WORKSPACE": "one", "PATH": "/bin", **dict(environ)},
            store=tmp_path / "memory",
            configuration=one.config,
            data_dir=one.data,
            state=one.state,
        )

    make.config = config
    return make


def test_settings_of_terraform_count_and_nothing_else_of_the_environment(of):
    same = of({"TF_WORKSPACE": "two", "PATH": "/usr/bin", "AWS_REGION": "eu-west-1"})
    assert same._file == of()._file
    assert of({"TF_PLUGIN_CACHE_DIR": "/cache"})._file != of()._file
    assert of({"HOME": "/home/else"})._file != of()._file
    assert of(version="1.12.0")._file != of()._file
    before = of()._file
    of.config.write_text("provider_installation {}\n")
    assert of()._file != before


def test_cli_configuration_that_can_not_be_read_is_left_to_terraform(of, tmp_path):
    assert of(cli_config=tmp_path / "none.tfrc") is None
