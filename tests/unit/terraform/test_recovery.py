"""A small program stands in for terraform and fails the way terraform fails."""

import json
import shlex
import stat
import sys
import threading

import pytest

from event_harness.errors import DeploymentError
from event_harness.terraform.command import Terraform
from event_harness.terraform.recovery import Transient

# 5.54 on a busy machine; aws-sdk-go-v2 issue 2737.
CLOSED = (
    "reading Lambda Function (a): operation error Lambda: GetFunction, decomposing response: "
    "read tcp 127.0.0.1:1->127.0.0.1:2: use of closed network connection"
)
BAD_NAME = 'Error: "name" must be at most 64 characters\n\n  with aws_iam_role.a,\n  on main.tf line 1:\n'
PROGRAM = """
import json, pathlib, sys
calls = pathlib.Path("calls.json")
made = json.loads(calls.read_text()) if calls.exists() else []
made.append(sys.argv[1:])
calls.write_text(json.dumps(made))
failures = json.loads(pathlib.Path("failures.json").read_text())
if len(made) <= len(failures):
    out, err = failures[len(made) - 1]
    print(out)
    print(err, file=sys.stderr)
    sys.exit(1)
print("Apply complete!")
"""


@pytest.fixture
def terraform(tmp_path):
    """Makes a terraform whose calls fail in turn with the given texts, then succeed."""

    def make(*failures, patterns=(), **arguments):
        binary, program = tmp_path / "terraform", tmp_path / "program.py"
        program.write_text(PROGRAM)
        # A shell script: a `#!` line takes no path with a space.
        python, script = shlex.quote(sys.executable), shlex.quote(str(program))
        binary.write_text(f'#!/bin/sh\nexec {python} {script} "$@"\n')
        binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
        texts = [one if isinstance(one, tuple) else ("", one) for one in failures]
        (tmp_path / "failures.json").write_text(json.dumps(texts))
        arguments = {"recoveries": [Transient(patterns)], "pause": 0.0} | arguments
        return Terraform(tmp_path, binary=binary, environ={}, logs=tmp_path / "logs", **arguments)

    return make


def calls(tmp_path):
    return json.loads((tmp_path / "calls.json").read_text())


@pytest.mark.parametrize("command", ["init", "plan", "apply", "destroy"])
def test_command_continues_after_a_transient_error_which_is_said_in_one_line(terraform, tmp_path, command):
    said = []
    done = terraform(f"Error: {CLOSED}\n", say=said.append).execute_command(command, "-no-color")
    assert done.out == "Apply complete!\n"
    assert calls(tmp_path) == [[command, "-no-color"]] * 2
    (line,) = said
    assert line.startswith(
        f"terraform {command} failed with a transient error and continues (attempt 2 of 3): "
    )
    assert "use of closed network connection" in line


@pytest.mark.parametrize(("errors", "end"), [(1, "connection"), (2, " and 1 more"), (3, " and 2 more")])
def test_first_of_several_transient_errors_is_told_with_the_number_of_the_others(terraform, errors, end):
    said = []
    text = "\n".join(f"Error: queue {n}: {CLOSED}\n" for n in range(errors))
    terraform(text, say=said.append).execute_command("apply")
    (line,) = said
    assert line.endswith(end)


def test_command_runs_at_most_three_times_and_then_says_what_terraform_said(terraform, tmp_path):
    said = []
    with pytest.raises(DeploymentError, match="use of closed network connection"):
        terraform(*[f"Error: {CLOSED}\n"] * 5, say=said.append).execute_command("apply")
    assert len(calls(tmp_path)) == 3
    assert ["attempt 2 of 3" in said[0], "attempt 3 of 3" in said[1], len(said)] == [True, True, 2]


@pytest.mark.parametrize(
    "error",
    [
        "Post \"http://127.0.0.1:4566/\": EOF",
        "RequestError: send request failed: read tcp 127.0.0.1:1->127.0.0.1:2: connection reset by peer",
        "dial tcp 127.0.0.1:4566: connect: connection refused",
        "unexpected EOF",
        "net/http: TLS handshake timeout",
        "ThrottlingException: Rate exceeded",
        "TooManyRequestsException: Rate exceeded",
        "SlowDown: Please reduce your request rate.",
        "OperationAborted: A conflicting conditional operation is currently in progress.",
        "operation error Lambda: CreateFunction, https response error StatusCode: 503, RequestID: x",
        "timeout while waiting for plugin to start",
    ],
)  # fmt: skip
def test_error_of_the_connection_or_of_a_busy_service_is_transient(terraform, tmp_path, error):
    terraform(f"Error: creating: {error}\n\n  with aws_sqs_queue.a,\n").execute_command("apply")
    assert len(calls(tmp_path)) == 2


NOT_YET = (
    "Error: putting S3 Bucket Policy: NoSuchBucket: The specified bucket does not exist\n\n"
    "  with aws_s3_bucket_policy.a,\n  on main.tf line 5, in resource:\n"
)


UNSUPPORTED = (
    "Error: error creating API Gateway specification: NotFoundException: "
    "Unknown API Gateway v1 path: /restapis/a\n"
)


def test_resource_that_is_not_there_yet_is_asked_for_again_if_something_was_just_created(terraform, tmp_path):
    created = "aws_s3_bucket.a: Creation complete after 0s [id=a]"
    terraform((created, NOT_YET)).execute_command("apply")
    assert len(calls(tmp_path)) == 2


@pytest.mark.parametrize(
    "failure",
    [
        BAD_NAME,
        "Error: creating IAM Role (a): AccessDenied: User is not authorized to perform iam:CreateRole\n",
        "Error: Invalid text\n\n  on a.tf line 3:\n   3:   policy = <<EOF\n   4: EOF\n\nUnterminated.",
        NOT_YET,  # nothing was created before: the name is wrong
        ("aws_s3_bucket.b: Creation complete after 0s [id=b]", NOT_YET.replace("aws_s3", "data.aws_s3")),
        ("aws_s3_bucket.b: Creation complete after 0s [id=b]", UNSUPPORTED),
        f"Error: {CLOSED}\n\n{BAD_NAME}",  # a second attempt can't succeed
        "panic: runtime error: connection reset",  # not an error of terraform's own
    ],
    ids=["name", "denied", "heredoc", "missing", "missing-data", "unsupported", "both", "panic"],
)
def test_error_of_the_user_is_not_tried_again(terraform, tmp_path, failure):
    with pytest.raises(DeploymentError):
        terraform(failure).execute_command("apply")
    assert len(calls(tmp_path)) == 1


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        ("Could not download module: The requested URL returned error: 503", 2),
        ("could not query provider registry for registry.terraform.io/hashicorp/aws: i/o timeout", 2),
        ("provider registry registry.terraform.io does not have a provider named x/y", 1),
        ("no available releases match the given constraints ~> 99.0", 1),
    ],
)
def test_init_is_tried_again_after_errors_of_the_network_only(terraform, tmp_path, error, attempts):
    one = terraform(f"Error: Failed to query available provider packages\n\n{error}\n")
    if attempts == 1:
        with pytest.raises(DeploymentError):
            one.execute_command("init")
    else:
        one.execute_command("init")
    assert len(calls(tmp_path)) == attempts


def test_target_that_is_gone_for_good_is_not_asked_again(terraform, tmp_path):
    one = terraform(f"Error: {CLOSED}\n", recoveries=[Transient(gone=lambda: True)])
    with pytest.raises(DeploymentError, match="use of closed network connection"):
        one.execute_command("destroy")
    assert len(calls(tmp_path)) == 1


def test_pattern_of_the_user_is_transient_too(terraform, tmp_path):
    error = "Error: the warehouse is being restocked\n"
    terraform(error, patterns=["being re\\w+"]).execute_command("destroy")
    assert len(calls(tmp_path)) == 2


def test_other_commands_are_not_tried_again(terraform, tmp_path):
    with pytest.raises(DeploymentError):
        terraform(f"Error: {CLOSED}\n").execute_command("output", "-json")
    assert len(calls(tmp_path)) == 1


def test_interrupt_ends_the_pause_between_two_attempts(terraform, tmp_path):
    stop = threading.Event()
    one = terraform(f"Error: {CLOSED}\n", pause=600.0, interrupted=stop, say=lambda _line: stop.set())
    with pytest.raises(KeyboardInterrupt):
        one.execute_command("apply")
    assert len(calls(tmp_path)) == 1


def test_message_of_a_failed_command_ends_with_its_explanation(terraform):
    one = terraform(BAD_NAME, explain=lambda failure: f"; explained {failure.command}")
    with pytest.raises(DeploymentError, match=r"\.err\]; explained apply$"):
        one.execute_command("apply")
