"""Deployments whose record is missing or can't be read."""

import os
import subprocess
import sys

import pytest

from event_harness.aws import supervisor as supervisor
from event_harness.aws.ownership import PROCESS_MARK, new_deployment_id
from event_harness.cli import main
from event_harness.deployments import sweep
from event_harness.deployments.record import DeploymentRecord
from event_harness.machine import temporary

HOLDING = '{"resources": [{"mode": "managed", "type": "aws_sqs_queue", "name": "a", "instances": [{}]}]}'
STATE = "config/terraform.tfstate.d/it/terraform.tfstate"


def with_state(record, text):
    (record.directory / STATE).parent.mkdir(parents=True)
    (record.directory / STATE).write_text(text)


def lose_record(record, text):
    file = record.directory / "record.json"
    file.unlink()
    if text is not None:
        file.write_text(text)
    return record


@pytest.mark.parametrize("text", [None, "", "{", '{"deployment_id": "d0"}'])
@pytest.mark.parametrize(
    "state_text", [pytest.param(HOLDING, id="state"), pytest.param(HOLDING[:40], id="state cut off")]
)
def test_deployment_whose_record_is_unreadable_is_reported_and_kept(dead, state, said, text, state_text):
    record = lose_record(dead(stage="applied"), text)
    with_state(record, state_text)
    os.utime(record.directory, (0, 0))
    for only in ([], [record.deployment_id]):
        assert sweep.sweep(state, only=only, say=said) == 1
    assert (record.directory / STATE).read_text() == state_text
    assert all(line.startswith(f"{record.deployment_id}: its record can't be read (") for line in said)
    assert len(said) == 2


@pytest.mark.parametrize("mark", [PROCESS_MARK, supervisor.MARK])
def test_living_deployment_whose_record_is_lost_is_kept(dead, state, said, mark):
    record = lose_record(dead(), None)
    os.utime(record.directory, (0, 0))
    carries = {PROCESS_MARK: record.deployment_id, supervisor.MARK: str(record.directory / "aws")}[mark]
    environ = {name: value for name, value in os.environ.items() if name != PROCESS_MARK} | {mark: carries}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=environ, stdin=subprocess.PIPE) as child:
        assert sweep.sweep(state, say=said) == 1
        assert record.directory.exists()
        what = {PROCESS_MARK: "works on it", supervisor.MARK: "is its local AWS emulator"}[mark]
        assert f"process {child.pid} {what}" in said[0]
        child.communicate(b"\n")


def test_deployment_without_record_and_resources_is_deleted(dead, state, said):
    record = lose_record(dead(), None)
    with_state(record, '{"resources": []}')
    os.utime(record.directory, (0, 0))
    assert sweep.sweep(state, say=said) == 0
    assert not record.directory.exists()


def test_record_that_cannot_be_read_keeps_no_other_deployment_from_being_swept(dead, state, said):
    broken, other = dead(), dead()
    file = broken.directory / "record.json"
    file.write_text(file.read_text().replace(f'"pid": {broken.pid}', '"pid": "x"'))
    with_state(broken, HOLDING)
    assert sweep.sweep(state, say=said) == 1
    assert not other.directory.exists()


def test_deployment_whose_record_cannot_be_read_is_listed(dead, state, capsys):
    record = lose_record(dead(), None)
    with_state(record, HOLDING)
    assert main(["--project", str(state.parent), "list"]) == 0
    assert f"{record.deployment_id}  ?       ?      record can't be read" in capsys.readouterr().out


def test_old_directory_without_a_record_is_deleted_if_its_name_is_a_deployment_id(state, said):
    old, new, notes, copy = (
        state / "deployments" / name
        for name in (new_deployment_id(), new_deployment_id(), "notes", f"{new_deployment_id()}.bak")
    )
    for directory in (old, new, notes, copy):
        directory.mkdir(parents=True)
        if directory != new:
            os.utime(directory, (0, 0))
    assert sweep.sweep(state, dry_run=True, say=said) == 0
    assert (
        f"{old.name}: its record can't be read (it doesn't exist) and nothing depends on it: would be"
        in str(said)
    )
    assert old.exists()
    assert sweep.sweep(state, say=said) == 0
    assert [directory.exists() for directory in (old, new, notes, copy)] == [False, True, True, True]
    assert f"{new.name}: its record can't be read (it doesn't exist), started or ended just now" in str(said)


def test_temporary_files_outside_a_long_path_are_deleted_too(tmp_path, said):
    state = tmp_path / ("long " * 20) / ".event-harness"
    record = DeploymentRecord.create(state, root=tmp_path, target="local")
    elsewhere = temporary.make(record.temporary)
    assert tmp_path not in elsewhere.parents
    lose_record(record, None)
    os.utime(record.directory, (0, 0))
    assert sweep.sweep(state, say=said) == 0
    assert not elsewhere.exists()
    assert not record.directory.exists()


def test_sweep_by_tag_deletes_directory_and_emulator_unless_a_process_works_on_it(dead, state, monkeypatch):
    record = lose_record(dead(), None)
    with_state(record, HOLDING)
    ended = []
    monkeypatch.setattr("event_harness.aws.emulator.LocalEmulator.end", ended.append)
    carries = {PROCESS_MARK: record.deployment_id}
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], env=os.environ | carries, stdin=subprocess.PIPE
    ) as child:
        sweep._forget_removed(state, record.deployment_id)
        assert record.directory.exists()
        child.communicate(b"\n")
    sweep._forget_removed(state, record.deployment_id)
    assert not record.directory.exists()
    assert ended == [record.directory / "aws"]
