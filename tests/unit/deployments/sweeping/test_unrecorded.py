"""Runs whose record is missing or can't be read."""

import os
import subprocess
import sys

import pytest

from event_harness.aws import supervisor as keeper
from event_harness.aws.ownership import PROCESS_MARK, new_run_id
from event_harness.cli import main
from event_harness.deployments import sweep
from event_harness.deployments.record import Run

HOLDING = '{"resources": [{"mode": "managed", "type": "aws_sqs_queue", "name": "a", "instances": [{}]}]}'
STATE = "config/terraform.tfstate.d/it/terraform.tfstate"


def with_state(run, text):
    (run.directory / STATE).parent.mkdir(parents=True)
    (run.directory / STATE).write_text(text)


def lose_record(run, text):
    record = run.directory / "record.json"
    record.unlink()
    if text is not None:
        record.write_text(text)
    return run


@pytest.mark.parametrize("record", [None, "", "{", '{"run_id": "r0"}'])
@pytest.mark.parametrize(
    "state_text", [pytest.param(HOLDING, id="state"), pytest.param(HOLDING[:40], id="state cut off")]
)
def test_run_whose_record_can_not_be_read_is_told_of_and_kept_with_its_state(
    dead, state, said, record, state_text
):
    run = lose_record(dead(stage="applied"), record)
    with_state(run, state_text)
    os.utime(run.directory, (0, 0))
    for only in ([], [run.run_id]):
        assert sweep.sweep(state, only=only, say=said) == 1
    assert (run.directory / STATE).read_text() == state_text
    assert all(line.startswith(f"{run.run_id}: its record can't be read (") for line in said)
    assert len(said) == 2


@pytest.mark.parametrize("mark", [PROCESS_MARK, keeper.MARK])
def test_living_run_whose_record_is_lost_is_kept(dead, state, said, mark):
    run = lose_record(dead(), None)
    os.utime(run.directory, (0, 0))
    carries = {PROCESS_MARK: run.run_id, keeper.MARK: str(run.directory / "aws")}[mark]
    environ = {name: value for name, value in os.environ.items() if name != PROCESS_MARK} | {mark: carries}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=environ, stdin=subprocess.PIPE) as child:
        assert sweep.sweep(state, say=said) == 1
        assert run.directory.exists()
        what = {PROCESS_MARK: "works on it", keeper.MARK: "is its embedded AWS"}[mark]
        assert f"process {child.pid} {what}" in said[0]
        child.communicate(b"\n")


def test_run_without_a_record_that_has_nothing_goes(dead, state, said):
    run = lose_record(dead(), None)
    with_state(run, '{"resources": []}')
    os.utime(run.directory, (0, 0))
    assert sweep.sweep(state, say=said) == 0
    assert not run.directory.exists()


def test_record_that_can_not_be_read_keeps_no_other_run_from_being_swept(dead, state, said):
    broken, other = dead(), dead()
    record = broken.directory / "record.json"
    record.write_text(record.read_text().replace(f'"pid": {broken.pid}', '"pid": "x"'))
    with_state(broken, HOLDING)
    assert sweep.sweep(state, say=said) == 1
    assert not other.directory.exists()


def test_run_whose_record_can_not_be_read_is_listed(dead, state, capsys):
    run = lose_record(dead(), None)
    with_state(run, HOLDING)
    assert main(["--project", str(state.parent), "list"]) == 0
    assert f"{run.run_id}  ?       ?      record can't be read" in capsys.readouterr().out


def test_directory_without_a_record_goes_once_it_is_old_if_it_is_named_as_a_run(state, said):
    old, new, notes, copy = (
        state / "runs" / name for name in (new_run_id(), new_run_id(), "notes", f"{new_run_id()}.bak")
    )
    for directory in (old, new, notes, copy):
        directory.mkdir(parents=True)
        if directory != new:
            os.utime(directory, (0, 0))
    assert sweep.sweep(state, dry_run=True, say=said) == 0
    assert f"{old.name}: its record can't be read (there is none) and nothing depends on it: would be" in str(
        said
    )
    assert old.exists()
    assert sweep.sweep(state, say=said) == 0
    assert [directory.exists() for directory in (old, new, notes, copy)] == [False, True, True, True]
    assert f"{new.name}: its record can't be read (there is none), begun or ended just now" in str(said)


def test_its_temporary_files_go_too_where_its_path_is_long(tmp_path, said):
    state = tmp_path / ("long " * 20) / ".event-harness"
    run = Run.create(state, root=tmp_path, target="local")
    assert tmp_path not in run.temporary.parents
    run.temporary.mkdir()
    lose_record(run, None)
    os.utime(run.directory, (0, 0))
    assert sweep.sweep(state, say=said) == 0
    assert not run.temporary.exists()
    assert not run.directory.exists()


def test_what_a_sweep_by_tag_has_emptied_goes_with_its_embedded_aws_and_not_while_somebody_works_on_it(
    dead, state, monkeypatch
):
    run = lose_record(dead(), None)
    with_state(run, HOLDING)
    ended = []
    monkeypatch.setattr("event_harness.aws.emulator.EmbeddedAws.end", ended.append)
    carries = {PROCESS_MARK: run.run_id}
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], env=os.environ | carries, stdin=subprocess.PIPE
    ) as child:
        sweep._forget_removed(state, run.run_id)
        assert run.directory.exists()
        child.communicate(b"\n")
    sweep._forget_removed(state, run.run_id)
    assert not run.directory.exists()
    assert ended == [run.directory / "aws"]
