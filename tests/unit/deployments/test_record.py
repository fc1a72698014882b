import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from event_harness.aws import ownership
from event_harness.aws.ownership import PROCESS_MARK, new_run_id
from event_harness.deployments import record as runs
from event_harness.deployments.record import Run


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "state", root=tmp_path, target="local", ttl=timedelta(hours=1))


def test_run_ids_sort_by_time_and_are_short_enough_for_names():
    ids = [new_run_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert [i[:10] for i in ids] == sorted(i[:10] for i in ids)
    assert all(len(i) == 14 and i.isalnum() and i.islower() and i[0] == "r" for i in ids)


def test_every_run_id_is_known_as_one_alone_and_in_a_name():
    for made in (new_run_id() for _ in range(200)):
        assert ownership.is_run_id(made)
        assert ownership.run_ids_in(f"http://x/000000000000/shout-{made}-failures {made}") == {made}


def test_record_is_read_back_as_it_was_written(run):
    run.variables = {"a": [1]}
    run.at("apply")
    assert Run.load(run.directory) == run


def test_run_is_on_record_before_anything_is_created(run, tmp_path):
    assert [found.run_id for found in runs.recorded(tmp_path / "state")] == [run.run_id]


def rewrite(run, **fields):
    record = run.directory / runs.RECORD
    record.write_text(json.dumps(json.loads(record.read_text()) | fields))


def test_record_of_a_newer_harness_is_read_without_what_only_that_one_knows(run):
    rewrite(run, colour="blue")
    assert Run.load(run.directory) == run


@pytest.mark.parametrize(
    "fields",
    [
        {"pid": "x"},
        {"pid": -5},
        {"pid": None},
        {"owner": 5},
        {"started": "soon"},
        {"variables": []},
        {"created_at": 5},
        {"expires_at": "soon"},
        {"expires_at": "2026-01-01T00:00:00"},
        {"run_id": "r0abcdefgh1234"},
        {"run_id": ""},
    ],
)
def test_record_that_no_harness_has_written_is_not_believed(run, fields):
    rewrite(run, **fields)
    with pytest.raises(ValueError, match=f"{next(iter(fields))}|run|format"):
        Run.load(run.directory)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"run_id": "r0"}'])
def test_record_that_was_cut_off_is_not_believed(run, text):
    (run.directory / runs.RECORD).write_text(text)
    with pytest.raises(ValueError, match=r"."):
        Run.load(run.directory)


def test_copy_of_a_record_in_another_directory_is_not_believed(run):
    copied = shutil.copytree(run.directory, run.directory.with_name("r0abcdefgh1234"))
    with pytest.raises(ValueError, match=f"of the run '{run.run_id}'"):
        Run.load(copied)


def test_record_that_was_never_finished_is_passed_over(run, tmp_path):
    (tmp_path / "state" / "runs" / "broken").mkdir()
    (tmp_path / "state" / "runs" / "broken" / "record.json").write_text("{")
    assert [found.run_id for found in runs.recorded(tmp_path / "state")] == [run.run_id]


def test_run_is_in_progress_while_its_process_lives(run):
    assert run.in_progress()


def test_run_of_a_dead_process_is_not_in_progress(run):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    run.pid = child.pid
    assert not run.in_progress()


def test_processes_of_a_run_are_found_by_their_mark(run):
    environ = os.environ | {PROCESS_MARK: run.run_id}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=environ, stdin=subprocess.PIPE) as child:
        assert [process.pid for process in run.processes()] == [child.pid]
        child.communicate(b"\n")
    assert run.processes() == []


def test_deleting_leaves_nothing_but_the_logs_that_are_worth_keeping(run, tmp_path):
    run.logs.mkdir(parents=True)
    (run.logs / "000-apply.err").write_text("why")
    run.delete(keep_logs=True)
    assert not run.directory.exists()
    assert (run.logs / "000-apply.err").exists()
    run.delete()
    assert not run.logs.exists()


def test_record_is_the_last_thing_of_a_run_that_goes(run, monkeypatch):
    """Killed between two deletions, the run is still found, and known to hold nothing any more."""
    for folder in (run.directory / "config", run.directory / "data", run.temporary, run.logs):
        folder.mkdir(parents=True)
    (run.directory / "drift.plan").touch()
    delete = shutil.rmtree

    def killed_at_last(path, **settings):
        if path == run.directory:
            raise KeyboardInterrupt
        delete(path, **settings)

    monkeypatch.setattr(shutil, "rmtree", killed_at_last)
    with pytest.raises(KeyboardInterrupt):
        run.delete()
    assert [path.name for path in run.directory.iterdir()] == [runs.RECORD]
    assert Run.load(run.directory).stage == "destroyed"


def test_two_sessions_may_end_at_the_same_time(run, monkeypatch):
    """Another one deletes the empty folder of runs, or begins a run in it, between two steps of this one."""
    monkeypatch.setattr(Path, "rmdir", lambda _self: (_ for _ in ()).throw(FileNotFoundError))
    run.delete()
    assert not run.directory.exists()


def test_state_directory_is_ignored_by_git(run, tmp_path):
    assert (tmp_path / "state" / ".gitignore").read_text() == "*\n"


def test_owner_is_tagged_without_what_a_tag_may_not_hold(tmp_path, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "CORP\\jane (äü)*")
    run = Run.create(tmp_path, root=tmp_path, target="aws")
    assert run.owner.startswith("CORP-jane -äü--@")
    assert run.in_progress()


def test_tags_name_run_owner_and_expiry(run):
    assert run.tags[ownership.TAG_RUN] == run.run_id
    assert "@" in run.tags[ownership.TAG_OWNER]
    assert run.tags[ownership.TAG_EXPIRES] == f"{run.expires_at:%Y-%m-%dT%H:%M:%SZ}"


def test_temporary_files_lie_in_the_run_unless_sockets_there_would_have_too_long_a_path(run):
    run.directory = Path("/home/somebody/project/.event-harness/runs/r0")
    assert run.temporary == run.directory / "tmp"
    run.directory = Path("/home") / ("x" * 80) / ".event-harness/runs" / run.run_id
    assert run.temporary.name == f"event-harness-{run.run_id}"
    assert len(f"{run.temporary}/tmp12345678/py-tf-plugin.sock") < 104
