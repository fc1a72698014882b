"""A kept deployment gets the code of its functions, and on request its configuration, from the project."""

import json
import re
import time

import pytest
from projects import Project

from event_harness.aws.code_bucket import BUCKET
from event_harness.terraform import state_file

# Each test run writes down the words of the functions that an order came by.
TESTS = """
import os, time
import pytest

@pytest.fixture(scope="session")
def harness_producer_settings():
    return {"first": {"field": "id"}}

def test_order_comes_by_all_functions(producer, listener):
    words = listener.wait_for(producer.send({"n": 1})).json()["words"]
    with open("words", "a") as file:
        file.write(", ".join(words) + "\\n")

@pytest.mark.parametrize("number", range(3))
def test_order_arrives(producer, listener, number):
    listener.wait_for(producer.send({"n": number}))

@pytest.mark.skipif("HOLD" not in os.environ, reason="only the session that holds the deployment runs it")
def test_that_lasts(deployment):
    open("held", "w").close()
    while os.path.exists("held"):
        time.sleep(0.05)
"""
FIRST, MIDDLE = "functions/first/word.py", "functions/middle.py"


@pytest.fixture
def project(tmp_path, deployment):
    """A kept deployment on the emulator of this session, where a sweep destroys it by terraform."""
    project = Project(
        tmp_path / "project",
        TESTS,
        system="edited",
        EVENT_HARNESS_TARGET=deployment.target.endpoint_url,
        PYTHONUNBUFFERED="1",
    )
    yield project
    for deployment_id in re.findall(r"^ *(d[0-9a-z]{13}) ", project.command("list"), re.MULTILINE):
        assert "nothing of it is left" in project.command("sweep", deployment_id)
    assert project.left() == []


def edit(project, name, text):
    (project.directory / name).write_text(text)


def words(project):
    """The words that the last test run has seen."""
    return (project.directory / "words").read_text().splitlines()[-1]


def held(project):
    """Wait until a session holds the deployment."""
    deadline = time.monotonic() + 300
    while not (project.directory / "held").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def made_from(project):
    """Where the state says that the code of the functions is, as (filename, bucket)."""
    (state,) = project.directory.glob(".event-harness/deployments/d*/config*/**/terraform.tfstate")
    functions = state_file.instances(state_file.resources(state), "managed", ("aws_lambda_function",))
    return {(one["attributes"]["filename"], one["attributes"]["s3_bucket"]) for _, one in functions}


def test_edited_functions_and_configuration_reach_a_kept_deployment(project):
    project.run("--harness-keep", "-k", "all_functions")
    assert words(project) == "first one, middle one, last one"
    assert made_from(project) == {(None, BUCKET)}

    # Functions: one archive that two of them share, and one of a single text.
    # An excluded file counts nothing.
    edit(project, FIRST, 'WORD = "two"\n')
    edit(project, "functions/first/notes.txt", "edited\n")
    middle = (project.directory / MIDDLE).read_text()
    edit(project, MIDDLE, middle.replace("one", "two"))
    said = project.run("--harness-reuse=last", "-k", "all_functions")
    assert words(project) == "first two, middle two, last two"
    (line,) = re.findall(r"synced (.*) in \d+\.\d s \((.*)\)", said)
    assert line[0].count("edited-") == 3
    assert set(line[1].split(", ")) == {FIRST, MIDDLE}
    assert "changed since" not in said
    assert "applying" not in said

    # With workers, it is synced once.
    edit(project, FIRST, 'WORD = "three"\n')
    said = project.run("--harness-reuse=last", "-n", "2")
    assert said.count("synced") == 1
    assert words(project) == "first three, middle two, last three"

    # Nothing is synced twice. The functions don't change under the tests of another session.
    project.environ["HOLD"] = "1"
    with project.start("--harness-reuse=last", "-k", "lasts") as holding:
        held(project)
        edit(project, FIRST, 'WORD = "four"\n')
        printed = project.run("--harness-reuse=last", "-k", "all_functions", fails=True)
        assert "changed, but other tests use deployment" in printed
        assert "Traceback" not in printed
        assert "changed, but other tests use deployment" in project.command("sync", fails=True)
        (project.directory / "held").unlink()
        printed, _ = holding.communicate(timeout=300)
    assert "1 passed" in printed
    assert "synced" not in printed
    del project.environ["HOLD"]
    (status,) = json.loads(project.command("status", "--json"))
    assert status["changed"] == [FIRST]
    assert len(status["stale"]) == 2
    assert status["needs_apply"] == []
    assert "synced" in project.command("sync")
    assert "nothing has changed" in project.command("sync")

    # The configuration: named, and applied on request; the functions are newer than the state.
    queue = 'resource "aws_sqs_queue" "more" {\n  name = "${local.name}-more"\n}\n'
    edit(project, "more.tf", queue)
    said = project.run("--harness-reuse=last", "-k", "all_functions")
    assert re.search(
        r"is tested as it was applied; changed since: more\.tf; apply that with pytest --harness-reuse", said
    )
    said = project.run("--harness-reuse=last", "--harness-apply", "-k", "all_functions")
    assert "applying what has changed to deployment" in said
    assert "aws_sqs_queue.more" in project.command("graph", "--json")
    assert words(project) == "first four, middle two, last four"
    (status,) = json.loads(project.command("status", "--json"))
    assert (status["stale"], status["needs_apply"], status["synced_at"]) == ([], [], None)

    # A configuration that can't be applied leaves the deployment as it is.
    edit(project, "more.tf", queue.replace("-more", " not a name"))
    assert "terraform apply failed" in project.run("--harness-reuse=last", "--harness-apply", fails=True)
    edit(project, FIRST, 'WORD = "five"\n')
    said = project.run("--harness-reuse=last", "-k", "all_functions")
    assert words(project) == "first five, middle two, last five"
    assert "changed since: more.tf" in said
