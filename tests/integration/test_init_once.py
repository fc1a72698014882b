"""`terraform init` runs for the first deployment of a configuration, and then only if Terraform needs it."""

import json

import pytest
from projects import Project

from event_harness.machine.cache import cache_directory

MAIN = 'provider "aws" {}\n\nmodule "queue" {\n  source = "./queue"\n}\n'
QUEUE = 'resource "aws_sqs_queue" "this" {\n  name = "orders"\n}\n'
TESTS = "def test_it_is_there(deployment):\n    assert deployment.outputs == {}\n"
RAN, NOT_NEEDED = "copied and initialised", "copied, no init needed"


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path / "project", TESTS, EVENT_HARNESS_PROVIDERS="mirror")
    for file in made.directory.glob("*.tf"):
        file.unlink()
    (made.directory / "queue").mkdir()
    (made.directory / "main.tf").write_text(MAIN)
    (made.directory / "queue" / "main.tf").write_text(QUEUE)
    return made


def memory_of(project):
    """The file in which the harness remembers the init of a project."""
    memories = (cache_directory() / "init").glob("*.json")
    (found,) = (m for m in memories if json.loads(m.read_text())["root"] == str(project.directory))
    return found


def test_init_runs_once_and_whenever_terraform_needs_it(project):
    assert RAN in project.run()
    assert NOT_NEEDED in project.run()

    # Terraform finds modules of which it was told nothing.
    memory = memory_of(project)
    told = json.loads(memory.read_text())
    memory.write_text(json.dumps(told | {"modules": '{"Modules": []}'}))
    said = project.run()
    assert NOT_NEEDED in said
    assert "terraform apply asks for init, which has run now" in said

    assert RAN in project.run("--harness-shortcuts=code,commands")
    assert project.left() == []
