"""An emulator ends in place of a destroy only if nothing of the deployment can be outside of it."""

import json
from contextlib import ExitStack

import pytest

from event_harness.deployments import emulator_end
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import EmulatorError

REGISTRY = "registry.terraform.io"


@pytest.fixture
def record(tmp_path):
    """A deployment of one queue, on an emulator of its own."""
    made = DeploymentRecord.create(tmp_path / "state", root=tmp_path, target="local")
    made.own_emulator, made.configuration = True, "config"
    made.at("applied")
    made.state.parent.mkdir(parents=True)
    (made.configuration_dir / "main.tf").write_text('resource "aws_sqs_queue" "q" {\n}\n')
    holds(made, "aws_sqs_queue", f'provider["{REGISTRY}/hashicorp/aws"]')
    return made


def holds(record, kind, provider):
    one = {"mode": "managed", "type": kind, "name": "q", "provider": provider, "instances": [{}]}
    record.state.write_text(json.dumps({"resources": [one]}))


@pytest.mark.parametrize("possible", [True, False])
def test_session_ends_the_emulator_only_if_that_destroys_everything(record, possible):
    if not possible:
        holds(record, "local_file", f'provider["{REGISTRY}/hashicorp/local"]')
    said, stack, ended = [], ExitStack(), []
    stack.callback(lambda: ended.append(record.directory.exists()))
    assert emulator_end.ended(record, stack, said.append) is possible
    assert ended == ([True] if possible else [])
    assert record.directory.exists() is not possible
    (line,) = said
    assert ("1 in the state, none outside" if possible else "local_file.q is a resource of") in line


def test_deployment_stays_on_record_while_a_process_of_its_emulator_is_left(record):
    def stop():
        raise EmulatorError("processes can't be ended")

    stack = ExitStack()
    stack.callback(stop)
    with pytest.raises(EmulatorError):
        emulator_end.ended(record, stack, print)
    assert record.directory.exists()


@pytest.mark.parametrize(
    ("kind", "provider"),
    [
        ("aws_sqs_queue", f'provider["{REGISTRY}/hashicorp/aws"]'),
        ("aws_sqs_queue", f'module.a["x"].provider["{REGISTRY}/hashicorp/aws"].other'),
        ("aws_sqs_queue", 'provider["registry.opentofu.org/hashicorp/aws"]'),
        ("random_id", f'provider["{REGISTRY}/hashicorp/random"]'),
        ("terraform_data", 'provider["terraform.io/builtin/terraform"]'),
    ],
)
def test_it_ends_if_all_is_on_it_or_a_mere_value(record, kind, provider):
    holds(record, kind, provider)
    assert emulator_end.why_not(record) == ""


@pytest.mark.parametrize(
    ("kind", "provider"),
    [
        ("local_file", "hashicorp/local"),
        ("docker_image", "kreuzwerker/docker"),
        ("null_resource", "hashicorp/null"),
    ],
)
def test_resource_that_may_be_outside_is_named(record, kind, provider):
    holds(record, kind, f'provider["{REGISTRY}/{provider}"]')
    assert (
        emulator_end.why_not(record)
        == f"{kind}.q is a resource of {provider}, which works outside of the emulator"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("more.tf", '  provisioner "local-exec" {\n    when = destroy\n    command = "x"\n  }\n'),
        ("more.tf", '  provisioner "local-exec" {\n    when = "destroy"\n  }\n'),
        ("more.tf.json", '{"provisioner": {"local-exec": {"when": "destroy"}}}'),
    ],
)
@pytest.mark.parametrize("place", ["root", "module"])
def test_provisioner_for_the_destroy_is_named(record, tmp_path, name, text, place):
    directory = record.configuration_dir
    if place == "module":
        directory = tmp_path / "elsewhere"
        directory.mkdir()
        (directory / "main.tf").write_text("")
        manifest = record.directory / "data" / "modules" / "modules.json"
        manifest.parent.mkdir(parents=True)
        manifest.write_text(json.dumps({"Modules": [{"Key": "m", "Dir": str(directory)}]}))
    assert emulator_end.why_not(record) == ""
    body = text if name.endswith("json") else f'resource "aws_sqs_queue" "p" {{\n{text}}}\n'
    (directory / name).write_text(body)
    assert emulator_end.why_not(record) == f"{name} has a provisioner for the time of the destroy"


def test_deployment_on_another_emulator_or_on_aws_is_destroyed(record):
    record.own_emulator = False
    assert emulator_end.why_not(record) == "it has no emulator of its own"


def test_deployment_whose_state_is_in_a_bucket_is_destroyed(record):
    record.remote_state = "s3://states/nightly"
    assert emulator_end.why_not(record) == "its state is in a bucket, too"


@pytest.mark.parametrize("state", [None, '{"resources'])
def test_deployment_whose_state_cannot_be_read_is_destroyed(record, state):
    record.state.unlink()
    if state:
        record.state.write_text(state)
    assert str(record.state) in emulator_end.why_not(record)
