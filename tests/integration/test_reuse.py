"""Systems that are there already: kept, described by a map, or on an emulator that is running."""

import json
import re

import pytest
from documented import command_of
from projects import Project

from event_harness.orphans.inventory import inventory

UPPER = """
def test_text_comes_back_in_upper_case(producer, listener):
    assert listener.wait_for(producer.send("hello")).text == "HELLO"
"""


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project")
    yield project
    for deployment_id in re.findall(r"^ *(d[0-9a-z]{13}) ", project.command("list"), re.MULTILINE):
        project.command("sweep", deployment_id)
    assert project.left() == []


@pytest.fixture
def described(deployment, tmp_path):
    """A project that deploys nothing, since the session's own system is there."""
    target = deployment.target
    project = Project(
        tmp_path / "project",
        UPPER,
        EVENT_HARNESS_TARGET=target.endpoint_url or "aws",
        AWS_REGION=target.region,
    )
    (project.directory / "map.json").write_text(json.dumps(deployment.outputs["event_harness"]))
    return project


def test_kept_deployment_is_tested_again_until_it_is_swept(project):
    said = project.run("--harness-keep")
    assert said.count("applying deployment") == 1
    (deployment_id,) = re.findall(r"kept deployment (\S+); test it again with --harness-reuse=\1", said)
    for reuse in ("--harness-reuse", f"--harness-reuse={deployment_id}"):
        said = project.run(reuse)
        assert "1 passed" in said
        assert "applying" not in said
        assert "destroying" not in said
        assert "changed since" not in said
    with (project.directory / "main.tf").open("a") as file:
        file.write("# edited\n")
    said = project.run("--harness-reuse=last")
    assert f"deployment {deployment_id} is tested as it was applied; changed since: main.tf; apply" in said
    assert "kept on purpose, left alone" in project.command("sweep")
    assert re.search(rf"{deployment_id} .* kept ", project.command("list"))
    assert "nothing of it is left" in project.command("sweep", deployment_id)
    assert project.left() == []
    said = project.run("--harness-reuse", fails=True)
    assert "no such deployment was kept; kept: none; keep one with pytest --harness-keep" in said


def results_of(system):
    """A name that only a system's own resources have; several systems may be there."""
    return system.outputs["event_harness"]["results"]["table"]


def test_deployment_that_fails_is_not_kept(project):
    (project.directory / "queue.tf").write_text('resource "aws_sqs_queue" "bad" {\n  name = "no name"\n}\n')
    said = project.run("--harness-keep", "--harness-var=deploy_test_resources=false", fails=True)
    assert "terraform apply failed" in said
    assert project.left() == []


def test_emulator_that_is_running_is_deployed_to_and_left_as_it_was(project, deployment):
    target = deployment.target
    documented = command_of("docs/adopt.md", "--harness-target=http")
    said = project.run(*documented.replace("http://127.0.0.1:4566", target.endpoint_url or "aws").split()[1:])
    assert "1 passed" in said
    deployment_id = re.search(r"applying deployment (\w+)", said).group(1)
    assert inventory(target, part=deployment_id) == []
    assert inventory(target, part=results_of(deployment))


def test_emulator_elsewhere_must_be_allowed_expressly(project):
    said = project.run("--harness-target=http://192.0.2.1:4566", fails=True)
    assert "is not on this machine" in said


def test_shut_gate_is_said_in_one_line_for_each_test(project):
    said = project.run("--harness-var=deploy_test_resources=false", fails=True)
    assert "is null: the system is deployed without its test resources; set deploy_test_resources" in said
    assert "Traceback" not in said
    assert "event_harness/" not in said


def test_system_that_a_file_describes_is_tested_and_left_alone(described, deployment):
    before = inventory(deployment.target, part=results_of(deployment))
    said = described.run("--harness-resources=map.json")
    assert "1 passed" in said
    assert "applying" not in said
    assert before
    assert inventory(deployment.target, part=results_of(deployment)) == before
    assert described.left() == []


def test_system_that_an_ssm_parameter_describes_is_tested(described, deployment):
    ssm, name = deployment.target.client("ssm"), f"/{deployment.deployment_id}/event_harness"
    ssm.put_parameter(Name=name, Type="String", Value=json.dumps(deployment.outputs["event_harness"]))
    try:
        assert "1 passed" in described.run(f"--harness-resources=ssm:{name}")
    finally:
        ssm.delete_parameter(Name=name)


def test_map_that_cannot_be_used_is_said_in_one_line(described):
    """The other reasons: tests/unit/system/test_resources.py."""
    (described.directory / "map.json").write_text('{"event_harness": {"value": 1}}')
    printed = described.run("--harness-resources=map.json", fails=True)
    assert "schema is None, this harness reads 1; take the `value`" in printed
    assert "Traceback" not in printed
    assert "event_harness/" not in printed


def test_map_of_another_region_is_not_looked_for_in_the_wrong_one(described):
    printed = described.run("--harness-resources=map.json", "--harness-region=us-west-2", fails=True)
    assert re.search(r"describes a system in \S+, but the region is us-west-2 \(--harness-region\)", printed)


def test_described_system_is_not_looked_for_on_the_emulator(described):
    printed = described.run("--harness-resources=map.json", "--harness-target=local", fails=True)
    assert "the target is local: an existing system is on aws or on a running emulator" in printed
