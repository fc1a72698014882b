"""`--harness-destroy=emulator` ends the emulator in place of a destroy, if nothing is outside of it."""

import pytest
from projects import Project

QUEUE = """
provider "aws" {
  region = "eu-west-1"
}

resource "aws_sqs_queue" "orders" {
  name = "orders-${terraform.workspace}"
}

output "queue" {
  value = aws_sqs_queue.orders.name
}
"""
OUTSIDE = """
resource "terraform_data" "outside" {
  provisioner "local-exec" {
    when    = destroy
    command = "echo destroyed >> %s"
  }
}
"""
TESTS = """
def test_queue_is_there(deployment):
    queue = deployment.outputs["queue"]
    assert deployment.target.client("sqs").get_queue_url(QueueName=queue)
"""


@pytest.fixture
def project(tmp_path):
    def make(main):
        made = Project(tmp_path / "project", TESTS)
        for file in made.directory.glob("*.tf"):
            file.unlink()
        (made.directory / "main.tf").write_text(main)
        return made

    return make


def test_emulator_ends_and_nothing_is_left(project):
    one = project(QUEUE)
    said = one.run("--harness-destroy=emulator")
    assert "ended the emulator of deployment d" in said
    assert "(1 in the state, none outside)" in said
    assert "destroying deployment" not in said
    assert one.left() == []


def test_what_is_outside_of_the_emulator_is_destroyed(project, tmp_path):
    outside = tmp_path / "outside"
    one = project(QUEUE + OUTSIDE % outside)
    said = one.run("--harness-destroy=emulator")
    assert (
        "doesn't end with its emulator alone: main.tf has a provisioner for the time of the destroy" in said
    )
    assert outside.read_text() == "destroyed\n"
    assert one.left() == []
