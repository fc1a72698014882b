"""No output, log or file shows the content of an event or a credential."""

import json
import os
import subprocess
import sys
import time
import uuid

import pytest
from projects import LEAN, PATIENT, Project

FAILS_IN_EVERY_WAY = """
import os

CONTENT = os.environ["CONTENT"]
ASKED_FOR = os.environ["ASKED_FOR"]

def test_nothing_comes(producer, listener):
    listener.wait_for(producer.send(CONTENT, name="notes.md"), timeout=1)

def test_its_input_fails(producer, listener):
    listener.wait_for(producer.send(CONTENT.encode() + b"\\xff"))

def test_no_failure_comes(producer, listener):
    listener.wait_for_failure(producer.send(CONTENT), timeout=1)

def test_something_comes_that_must_not(producer, listener):
    listener.expect_none(producer.send(CONTENT), within=60)

def test_less_comes_than_must(producer, listener):
    sent = producer.send(CONTENT)
    listener.wait_for(sent)
    listener.expect_exactly(sent, 2, timeout=2)

def test_part_of_a_batch_is_missing(producer, listener):
    sents = [producer.send(CONTENT), producer.send(CONTENT, name="notes.md")]
    listener.wait_for(sents[0])
    collected = listener.collect(sents, timeout=2)
    assert not collected.missing, collected

def test_content_is_no_json(producer, listener):
    listener.wait_for(producer.send(CONTENT)).json()

def test_predicate_says_no(producer, listener):
    sent = producer.send(CONTENT)
    listener.wait_for(sent)
    listener.wait_for(sent, timeout=1, until=lambda result: not result.text)

def test_predicate_raises(producer, listener):
    sent = producer.send(CONTENT)
    listener.wait_for(sent)
    listener.wait_for(sent, timeout=1, until=lambda result: result.json()["id"] == 1)

def test_result_is_shown(producer, listener):
    result = listener.wait_for(producer.send(CONTENT))
    assert result.body_kind == "none", result

def test_input_can_not_be_sent(producer):
    producer.send({"text": CONTENT, "tags": {1, 2}})

def test_other_content_is_asked_for(producer, listener):
    sent = producer.send(ASKED_FOR)
    listener.wait_for(sent)
    listener.wait_for(sent, timeout=1, until="something else")
"""

WITH_A_SENSITIVE_VARIABLE = """
variable "password" {
  type      = string
  sensitive = true
}

resource "aws_ssm_parameter" "password" {
  name  = "/${terraform.workspace}/password"
  type  = "SecureString"
  value = var.password
}

output "password" {
  value     = var.password
  sensitive = true
}
"""
ARRIVES_AND_FAILS = """
def test_letter_is_another(producer, listener):
    sent = producer.send("a letter")
    listener.wait_for(sent)
    listener.wait_for(sent, timeout=1, until="another letter")
"""
# Copies the files of a deployment while its system exists, without those of the local AWS emulator.
COPIES_ITS_DEPLOYMENT = """
import pytest, shutil
from event_harness.aws.supervisor import FOLDERS

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    shutil.copytree(".event-harness", "copy", symlinks=True, ignore=shutil.ignore_patterns(*FOLDERS))
"""


def planted():
    return f"planted-{uuid.uuid4().hex}"


def showing(text, content):
    """The lines that show a content, in any case."""
    return [line for line in text.splitlines() if content.lower() in line.lower()]


@pytest.fixture(scope="module")
def failed_session(deployment, tmp_path_factory):
    """The output and the report of a session in which every test fails, and the contents that it sent."""
    directory = tmp_path_factory.mktemp("failing")
    (directory / "pytest.ini").write_text("[pytest]\n")
    (directory / "test_failing.py").write_text(FAILS_IN_EVERY_WAY)
    (directory / "resources.json").write_text(json.dumps(deployment.outputs["event_harness"]))
    contents = {"CONTENT": planted(), "ASKED_FOR": planted()}
    ours = ("EVENT_HARNESS_", "PYTEST_")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-vv", "-p", "no:cacheprovider"),
            *("--junitxml=report.xml", "-o", "junit_logging=all"),
            f"--harness-target={deployment.target.endpoint_url or 'aws'}",
            "--harness-resources=resources.json",
        ],
        cwd=directory,
        env={name: text for name, text in os.environ.items() if not name.startswith(ours)}
        | LEAN
        | PATIENT
        | contents,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert f"{FAILS_IN_EVERY_WAY.count('def test_')} failed" in done.stdout, done.stdout
    return done.stdout, (directory / "report.xml").read_text(encoding="utf-8"), contents


def test_terminal_and_report_show_no_content(failed_session):
    terminal, report, contents = failed_session
    assert showing(terminal, contents["CONTENT"]) == []
    assert showing(report, contents["CONTENT"]) == []


def test_content_that_was_asked_for_is_shown(failed_session):
    terminal, report, contents = failed_session
    assert showing(terminal, contents["ASKED_FOR"])
    assert showing(report, contents["ASKED_FOR"])


def test_logs_and_failed_events_hold_no_content(failed_session, deployment, listener):
    _, _, contents = failed_session
    groups = [deployment.outputs["text_processor"]["log_group"], listener.resources.listener.log_group]
    pages = deployment.target.client("logs").get_paginator("filter_log_events")
    logs = [
        event["message"]
        for group in groups
        for page in pages.paginate(logGroupName=group)
        for event in page["events"]
    ]
    assert any("written" in line for line in logs)
    deadline = time.monotonic() + 120
    while not (failures := listener.failures.all()):
        listener.failures.look()  # another worker's look hides the messages for a moment
        assert time.monotonic() < deadline
    for content in contents.values():
        assert showing("\n".join(logs), content) == []
        assert showing(json.dumps([failure.event for failure in failures]), content) == []


@pytest.fixture(scope="module")
def credentials():
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return {name: planted() for name in names}


@pytest.fixture(scope="module")
def recorded_session(tmp_path_factory, credentials):
    """The directory of a project whose test failed, its output, and the value of its sensitive variable."""
    project = Project(tmp_path_factory.mktemp("recorded") / "project", ARRIVES_AND_FAILS, **credentials)
    with (project.directory / "main.tf").open("a") as main:
        main.write(WITH_A_SENSITIVE_VARIABLE)
    (project.directory / "conftest.py").write_text(COPIES_ITS_DEPLOYMENT)
    password = planted()
    said = project.run(f"--harness-var=password={password}", "--junitxml=report.xml", "-vv", fails=True)
    assert "1 failed" in said, said
    return project.directory, said, password


def files_showing(directory, text):
    """The files below a directory that contain a text, as relative paths."""
    files = [file for file in directory.rglob("*") if file.is_file() and not file.is_symlink()]
    assert files
    return [file.relative_to(directory) for file in files if text.encode() in file.read_bytes()]


def test_no_output_and_no_file_shows_the_credentials_of_the_environment(recorded_session, credentials):
    directory, said, _ = recorded_session
    for secret in credentials.values():
        assert showing(said, secret) == []
        assert files_showing(directory, secret) == []


def test_only_the_directory_of_the_deployment_holds_a_sensitive_value(recorded_session):
    directory, said, password = recorded_session
    assert showing(said, password) == []
    (record,) = (directory / "copy" / "deployments").iterdir()
    places = files_showing(directory, password)
    assert places  # the state holds it
    assert [place for place in places if record.relative_to(directory) not in place.parents] == []
    assert record.stat().st_mode & 0o777 == 0o700


def test_refused_credentials_are_not_shown(tmp_path, credentials):
    project = Project(
        tmp_path / "project", **credentials, AWS_REGION="eu-west-1", AWS_ENDPOINT_URL_STS="http://127.0.0.1:9"
    )
    said = project.run("--harness-target=aws", "--junitxml=report.xml", "-vv", fails=True)
    assert "AWS did not tell whose credentials these are" in said
    for secret in credentials.values():
        assert showing(said, secret) == []
        assert files_showing(project.directory, secret) == []
