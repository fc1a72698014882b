"""Sweeping by record: what is taken, what is left alone, and what remains of it."""

import os
import shlex
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta

from event_harness.deployments import sharing, sweep
from event_harness.deployments.record import DeploymentRecord


def test_deployment_in_progress_is_left_alone(state, tmp_path, said):
    record = DeploymentRecord.create(state, root=tmp_path, target="local")
    assert sweep.sweep(state, say=said) == 0
    assert record.directory.exists()
    assert f"{record.deployment_id}: in progress" in str(said)


def test_deployment_in_progress_is_left_alone_even_if_it_is_named(state, tmp_path, said):
    record = DeploymentRecord.create(state, root=tmp_path, target="local")
    sweep.sweep(state, only=[record.deployment_id], say=said)
    assert record.directory.exists()


def test_deployment_of_a_dead_process_is_deleted_with_its_logs_and_temporary_files(dead, state, said):
    record = dead()
    record.logs.mkdir(parents=True)
    record.temporary.mkdir()
    assert sweep.sweep(state, say=said) == 0
    assert [path.name for path in state.iterdir()] == [".gitignore"]
    assert not record.temporary.exists()


def test_sweep_may_be_repeated(dead, state, said):
    dead()
    assert [sweep.sweep(state, say=said) for _ in range(2)] == [0, 0]
    assert said[-1] == "nothing to sweep: no dead deployment is on record"


def test_dry_run_says_what_would_be_done_and_does_nothing(dead, state, said):
    record = dead(stage="applied")
    assert sweep.sweep(state, dry_run=True, say=said) == 0
    assert record.directory.exists()
    assert said == [f"{record.deployment_id}: would be destroyed (local, stage applied)"]


def test_kept_deployment_is_left_alone_until_it_is_named(dead, state, said):
    record = dead(kept=True)
    sweep.sweep(state, say=said)
    assert record.directory.exists()
    sweep.sweep(state, only=[record.deployment_id], say=said)
    assert not record.directory.exists()


def test_unknown_deployment_is_an_error_with_a_command_that_lists_this_project(
    state, dead, said, monkeypatch
):
    record = dead(stage="applied")
    monkeypatch.chdir("/")
    assert sweep.sweep(state, only=["d0"], say=said) == 1
    (line,) = said
    command = line.removeprefix("d0: no such deployment here; see: ")
    listed = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
    assert record.deployment_id in listed


def test_deployment_of_another_host_is_left_alone_until_it_expires(dead, state, said):
    soon, past = (datetime.now(UTC) + timedelta(hours=h) for h in (1, -1))
    alive = dead(owner="somebody@elsewhere", expires_at=soon)
    expired = dead(owner="somebody@elsewhere", expires_at=past)
    sweep.sweep(state, say=said)
    assert alive.directory.exists()
    assert not expired.directory.exists()


def test_deployment_that_tests_reuse_is_left_alone(dead, state, said):
    record = dead(kept=True)
    with record.held(shared=True):
        assert sweep.sweep(state, only=[record.deployment_id], say=said) == 1
    assert record.directory.exists()
    assert "in use" in str(said)


def test_second_sweep_waits_for_the_first_and_finds_its_work_done(dead, state, said):
    record = dead()
    first = record.held()
    first.__enter__()
    second = threading.Thread(target=sweep.sweep, args=(state,), kwargs={"say": said})
    second.start()
    while not any("another sweep works on it" in line for line in said):
        time.sleep(0.01)
    record.delete()
    first.__exit__(None, None, None)
    second.join(60)
    assert not second.is_alive()
    assert not record.directory.exists()


def test_no_lock_file_is_left(dead, state, said):
    dead(kept=True)
    sweep.sweep(state, say=said)
    sweep.sweep(state, only=["d0"], say=said)
    assert sorted(path.name for path in state.iterdir()) == [".gitignore", "deployments"]


def test_deployment_that_died_while_it_was_deleted_is_found_and_finished(dead, state, said):
    record = dead(stage="destroyed", target="aws")
    assert sweep.sweep(state, say=said) == 0
    assert not record.directory.exists()


def test_record_is_deleted_last(dead, monkeypatch):
    record = dead(stage="applied")
    (record.directory / "config").mkdir()
    there = []
    monkeypatch.setattr(
        "shutil.rmtree", lambda path, **_: there.append(DeploymentRecord.load(record.directory).stage)
    )
    record.delete()
    assert set(there) == {"destroyed"}


def test_lending_folder_of_a_dead_process_is_deleted_and_of_a_living_one_kept(state, said):
    living, killed = sharing.lending_folder(state), state / "lent" / f"{os.getpid()}-1.5"
    for folder in (living, killed):
        folder.mkdir(parents=True)
    sweep.sweep(state, say=said)
    assert living.exists()
    assert not killed.exists()
