import functools
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import freezegun
import pytest
import time_machine

from event_harness.aws import ownership
from event_harness.aws.ownership import PROCESS_MARK, new_deployment_id
from event_harness.deployments import records
from event_harness.deployments.record import RECORD, DeploymentRecord
from event_harness.machine import clock


@pytest.fixture
def record(tmp_path):
    return DeploymentRecord.create(tmp_path / "state", root=tmp_path, target="local", ttl=timedelta(hours=1))


def test_deployment_ids_sort_by_time_and_are_short_enough_for_names():
    ids = [new_deployment_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert [i[:10] for i in ids] == sorted(i[:10] for i in ids)
    assert all(len(i) == 14 and i.isalnum() and i.islower() and i[0] == "d" for i in ids)


def test_every_deployment_id_is_known_as_one_alone_and_in_a_name():
    for made in (new_deployment_id() for _ in range(200)):
        assert ownership.is_deployment_id(made)
        assert ownership.deployment_ids_in(f"http://x/000000000000/shout-{made}-failures {made}") == {made}


def test_record_is_read_back_as_it_was_written(record):
    record.variables = {"a": [1]}
    record.at("apply")
    assert DeploymentRecord.load(record.directory) == record


def test_deployment_is_on_record_before_anything_is_created(record, tmp_path):
    assert [found.deployment_id for found in records.recorded(tmp_path / "state")] == [record.deployment_id]


def rewrite(record, **fields):
    record = record.directory / RECORD
    record.write_text(json.dumps(json.loads(record.read_text()) | fields))


def test_unknown_fields_of_a_newer_record_are_ignored(record):
    rewrite(record, colour="blue")
    assert DeploymentRecord.load(record.directory) == record


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
        {"deployment_id": "d0abcdefgh1234"},
        {"deployment_id": ""},
    ],
)
def test_record_with_a_wrong_field_is_refused(record, fields):
    rewrite(record, **fields)
    with pytest.raises(ValueError, match=f"{next(iter(fields))}|deployment|format"):
        DeploymentRecord.load(record.directory)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"deployment_id": "d0"}'])
def test_record_that_was_cut_off_is_refused(record, text):
    (record.directory / RECORD).write_text(text)
    with pytest.raises(ValueError, match=r"."):
        DeploymentRecord.load(record.directory)


def test_copy_of_a_record_in_another_directory_is_refused(record):
    copied = shutil.copytree(record.directory, record.directory.with_name("d0abcdefgh1234"))
    with pytest.raises(ValueError, match=f"to the deployment '{record.deployment_id}'"):
        DeploymentRecord.load(copied)


def test_record_that_was_never_finished_is_passed_over(record, tmp_path):
    (tmp_path / "state" / "deployments" / "broken").mkdir()
    (tmp_path / "state" / "deployments" / "broken" / "record.json").write_text("{")
    assert [found.deployment_id for found in records.recorded(tmp_path / "state")] == [record.deployment_id]


def test_deployment_is_in_progress_while_its_process_lives(record):
    assert record.in_progress()


def test_deployment_of_a_dead_process_is_not_in_progress(record):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    record.pid = child.pid
    assert not record.in_progress()


def test_processes_of_a_deployment_are_found_by_their_mark(record):
    environ = os.environ | {PROCESS_MARK: record.deployment_id}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=environ, stdin=subprocess.PIPE) as child:
        assert [process.pid for process in record.processes()] == [child.pid]
        child.communicate(b"\n")
    assert record.processes() == []


def test_deleting_leaves_nothing_but_the_logs_that_are_worth_keeping(record, tmp_path):
    record.logs.mkdir(parents=True)
    (record.logs / "000-apply.err").write_text("why")
    record.delete(keep_logs=True)
    assert not record.directory.exists()
    assert (record.logs / "000-apply.err").exists()
    record.delete()
    assert not record.logs.exists()


def test_record_is_deleted_last(record, monkeypatch):
    """If the process is killed in between, a sweep finds the record and knows that nothing is left."""
    for folder in (record.directory / "config", record.directory / "data", record.temporary, record.logs):
        folder.mkdir(parents=True)
    (record.directory / "drift.plan").touch()
    delete = shutil.rmtree

    def killed_at_last(path, **settings):
        if path == record.directory:
            raise KeyboardInterrupt
        delete(path, **settings)

    monkeypatch.setattr(shutil, "rmtree", killed_at_last)
    with pytest.raises(KeyboardInterrupt):
        record.delete()
    assert [path.name for path in record.directory.iterdir()] == [RECORD]
    assert DeploymentRecord.load(record.directory).stage == "destroyed"


def test_two_sessions_may_end_at_the_same_time(record, monkeypatch):
    """Another session deletes the empty folder, or starts a deployment in it, at the same time."""
    monkeypatch.setattr(Path, "rmdir", lambda _self: (_ for _ in ()).throw(FileNotFoundError))
    record.delete()
    assert not record.directory.exists()


def test_state_directory_is_ignored_by_git(record, tmp_path):
    assert (tmp_path / "state" / ".gitignore").read_text() == "*\n"


def test_owner_is_tagged_without_what_a_tag_may_not_hold(tmp_path, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "CORP\\jane (äü)*")
    record = DeploymentRecord.create(tmp_path, root=tmp_path, target="aws")
    assert record.owner.startswith("CORP-jane -äü--@")
    assert record.in_progress()


def test_tags_name_deployment_owner_and_expiry(record):
    assert record.tags[ownership.TAG_DEPLOYMENT] == record.deployment_id
    assert "@" in record.tags[ownership.TAG_OWNER]
    assert record.tags[ownership.TAG_EXPIRES] == f"{record.expires_at:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(params=["freezegun", "time-machine"])
def faked_time(request):
    """A session-wide fake of Python's clock, as a user's conftest may start it."""
    fakes = {
        # pytest measures this fixture too.
        "freezegun": functools.partial(freezegun.freeze_time, ignore=["_pytest.timing"]),
        "time-machine": time_machine.travel,
    }
    with fakes[request.param]("2001-01-01"):
        assert datetime.now(UTC).year == 2001
        yield


@pytest.mark.usefixtures("faked_time")
def test_faked_clock_changes_neither_expiry_nor_the_reading_of_records(tmp_path):
    began = clock.timestamp()
    record = DeploymentRecord.create(tmp_path, root=tmp_path, target="aws", ttl=timedelta(hours=1))
    assert began + 3599 <= record.expires_at.timestamp() <= clock.timestamp() + 3600
    assert record.tags[ownership.TAG_EXPIRES][:4] == str(record.expires_at.year) != "2001"
    assert DeploymentRecord.load(record.directory) == record
    record.owner = "somebody@elsewhere"
    assert record.in_progress()
    record.expires_at -= timedelta(hours=2)
    assert not record.in_progress()


@pytest.mark.usefixtures("faked_time")
def test_faked_clock_changes_no_deployment_id():
    before, other, after = new_deployment_id(), id_of_another_process(), new_deployment_id()
    assert before[:6] <= other[:6] <= after[:6]  # an id begins with the time
    assert len({new_deployment_id() for _ in range(200)}) == 200


def id_of_another_process():
    code = "from event_harness.aws.ownership import new_deployment_id; print(new_deployment_id())"
    return subprocess.check_output([sys.executable, "-c", code], text=True)


def test_owner_without_an_entry_in_the_passwd_file_is_named_by_its_uid(tmp_path, monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nobody)
    created = DeploymentRecord.create(tmp_path, root=tmp_path, target="local")
    assert created.owner.startswith(f"uid-{os.getuid()}@")
