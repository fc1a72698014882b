"""The command `graph` finds the system that is meant, and prints it."""

import io
import json
import sys

import pytest
from listener_fakes import MAP

from event_harness import cli
from event_harness.deployments.record import DeploymentRecord

QUEUE = {
    "mode": "managed",
    "type": "aws_sqs_queue",
    "name": "inbox",
    "instances": [
        {"attributes": {"name": "inbox", "url": "https://q/1/inbox", "arn": "arn:aws:sqs:r:1:inbox"}}
    ],
}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    for name in ("TF_WORKSPACE", "TF_DATA_DIR", "EVENT_HARNESS_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def state(name="inbox", outputs=None):
    resources = [QUEUE | {"name": name}]
    return json.dumps({"version": 4, "serial": 1, "resources": resources, "outputs": outputs or {}})


def nodes(capsys, *arguments):
    assert cli.main(["graph", "--json", *arguments]) == 0
    return [node["name"] for node in json.loads(capsys.readouterr().out)["nodes"]]


def fails(capsys, *arguments):
    assert cli.main(["graph", *arguments]) == 1
    return capsys.readouterr().err


def record(root, name):
    made = DeploymentRecord.create(root / ".event-harness", root=root, target="local")
    made.configuration = "config"
    made.save()
    made.state.parent.mkdir(parents=True)
    made.state.write_text(state(name))
    return made.deployment_id


def test_state_of_a_file_and_of_standard_input(root, capsys, monkeypatch):
    (root / "some.json").write_text(state("of_file"))
    assert nodes(capsys, "--state", "some.json") == ["of_file"]
    monkeypatch.setattr(sys, "stdin", io.StringIO(state("piped")))
    assert nodes(capsys, "--state", "-") == ["piped"]


def test_local_state_of_the_root_and_of_its_workspace(root, capsys):
    (root / "terraform.tfstate").write_text(state("default"))
    assert nodes(capsys) == ["default"]
    (root / ".terraform").mkdir()
    (root / ".terraform" / "environment").write_text("blue")
    assert "no local state" in fails(capsys)
    (root / "terraform.tfstate.d" / "blue").mkdir(parents=True)
    (root / "terraform.tfstate.d" / "blue" / "terraform.tfstate").write_text(state("blue"))
    assert nodes(capsys) == ["blue"]


def test_newest_deployment_counts_before_the_roots_own_state(root, capsys):
    (root / "terraform.tfstate").write_text(state("default"))
    first, _second = record(root, "first"), record(root, "second")
    assert nodes(capsys) == ["second"]
    assert nodes(capsys, first) == ["first"]
    assert "no deployment 'd0' is on record" in fails(capsys, "d0")


def test_resource_map_says_only_its_list(root, capsys):
    (root / "map.json").write_text(json.dumps(MAP))
    assert nodes(capsys, "--resources", "map.json") == [
        "source",
        "processor",
        "destination",
        "event_listener",
    ]


def test_listed_components_name_the_nodes(root, capsys):
    listed = {"name": "start", "type": "sqs", "queue_url": "https://q/1/inbox"}
    value = MAP | {"components": [listed]}
    (root / "s.json").write_text(state(outputs={"event_harness": {"value": value}}))
    assert nodes(capsys, "--state", "s.json") == ["start"]


def test_two_systems_at_once_and_a_file_that_is_none_are_refused(root, capsys):
    assert "two systems" in fails(capsys, "--state", "a", "--resources", "b")
    assert "can't be read" in fails(capsys, "--state", "missing")


def test_mermaid_is_the_default(root, capsys):
    (root / "terraform.tfstate").write_text(state())
    assert cli.main(["graph"]) == 0
    assert capsys.readouterr().out.startswith("flowchart LR\n")
