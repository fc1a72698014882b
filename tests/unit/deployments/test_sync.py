"""What has changed since a deployment was applied, and the new code that its functions get."""

import base64
import fcntl
import hashlib
import json
import multiprocessing
import os
import signal
import types
from contextlib import ExitStack

import pytest
from botocore.exceptions import ClientError

from event_harness.deployments import kept, sync
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import DeploymentError, SettingError
from event_harness.machine import interrupts
from event_harness.terraform import view
from event_harness.terraform.provider_3_39.archive_provider import archive_file

MAIN = """
data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/src"
  output_path = "code.zip"
}
"""


class Lambda:
    """Updates functions; `statuses` are what it tells of an update, one look after the other."""

    def __init__(self):
        self.code, self.statuses, self.refuses, self.asked = {}, [], None, []

    def update_function_code(self, *, FunctionName, ZipFile):  # noqa: N803
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses, "Message": "no"}}, "UpdateFunctionCode")
        self.code[FunctionName] = base64.b64encode(hashlib.sha256(ZipFile).digest()).decode()

    def get_function(self, *, FunctionName):  # noqa: N803
        self.asked.append(FunctionName)
        status = self.statuses.pop(0) if self.statuses else "Successful"
        return {"Configuration": {"LastUpdateStatus": status, "LastUpdateStatusReason": "no reason"}}


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "main.tf").write_text(MAIN)
    (root / "src" / "app.py").write_text("one")
    (root / "src" / "helper.py").write_text("two")
    return root


@pytest.fixture
def record(project):
    """A kept deployment with two functions of one archive, as terraform leaves it."""
    record = DeploymentRecord.create(project / ".event-harness", root=project, target="local")
    made = view.make(project, record.directory / "config", never=[project / ".event-harness"])
    record.configuration = str(made.root.relative_to(record.directory.resolve()))
    before = os.getcwd()
    os.chdir(made.root)
    try:
        archive = archive_file({"type": "zip", "source_dir": "./src", "output_path": "code.zip"})
        for name in ("main.tf", "src/app.py", "src/helper.py"):
            os.utime(name, ns=(1, os.stat(name).st_mtime_ns))  # read
    finally:
        os.chdir(before)
    functions = [
        {"index_key": name, "attributes": {"function_name": name, "filename": "code.zip"}} for name in "ab"
    ]
    outputs = {"url": {"value": "http://x", "type": "string"}}
    resources = [
        {"mode": "data", "type": "archive_file", "name": "code", "instances": [{"attributes": archive}]},
        {"mode": "managed", "type": "aws_lambda_function", "name": "f", "instances": functions},
    ]
    record.state.parent.mkdir(parents=True)
    record.state.write_text(json.dumps({"resources": resources, "outputs": outputs}))
    sync.sources.record(made, record.sources)
    sync.record(made, record)
    record.kept, record.stage = True, "applied"
    record.endpoint_url, record.region = "http://127.0.0.1:9", "eu-west-1"
    record.save()
    return record


@pytest.fixture
def said():
    return []


@pytest.fixture
def functions():
    return Lambda()


@pytest.fixture
def target(functions, tmp_path):
    return types.SimpleNamespace(client=lambda _service: functions, emulator_log=tmp_path / "emulator.log")


def test_nothing_has_changed_right_after_apply(record):
    assert sync.changes_of(record) == sync.Changes()
    assert not sync.changes_of(record)


def test_changed_source_is_stale_until_its_functions_are_updated(record, project, target, functions, said):
    (project / "src/app.py").write_text("edited")
    changes = sync.changes_of(record)
    assert changes.functions == ["a", "b"]
    assert (changes.files, changes.others) == (["src/app.py"], [])
    sync.update(record, target, changes, said.append)
    ((_, made),) = changes.stale
    assert functions.code == {"a": made.digest, "b": made.digest}
    assert said[0].startswith("synced a, b in ")
    assert said[0].endswith(" s (src/app.py)")
    assert functions.asked == []
    assert not sync.changes_of(record)
    assert sync.recorded(record).synced_at


def test_source_that_is_as_at_apply_again_is_synced_again(record, project, target, functions, said):
    before = sync.recorded(record).codes[0].digest
    for text in ("edited", "one"):
        (project / "src/app.py").write_text(text)
        sync.update(record, target, sync.changes_of(record), said.append)
    assert functions.code == {"a": before, "b": before}


def test_file_that_is_new_or_gone_is_stale_too(record, project):
    (project / "src/new.py").write_text("new")
    assert sync.changes_of(record).functions == ["a", "b"]
    (project / "src/new.py").unlink()
    assert not sync.changes_of(record)
    (project / "src/helper.py").unlink()
    assert sync.changes_of(record).files == ["src/helper.py"]


def test_configuration_is_changed_by_an_apply_only(record, project):
    (project / "main.tf").write_text(MAIN + "# edited\n")
    (project / "more.tf").write_text("")
    changes = sync.changes_of(record)
    assert (changes.stale, changes.others) == ([], ["main.tf", "more.tf"])
    assert changes


def test_source_that_cannot_be_packed_is_named(record, project):
    for file in (project / "src").iterdir():
        file.unlink()
    changes = sync.changes_of(record)
    assert changes.stale == []
    assert changes.others == ["src/app.py", "src/helper.py"]
    assert changes.refused == [
        "a, b (its source can't be read (archive has not been created as it would be empty))"
    ]


def test_new_file_is_refused_where_an_expression_says_what_is_packed(record, project):
    known = sync.recorded(record)
    known.codes[0].may_grow = False
    sync._write(record, known)
    (project / "src/app.py").write_text("edited")
    assert sync.changes_of(record).functions == ["a", "b"]
    (project / "src/new.py").write_text("new")
    changes = sync.changes_of(record)
    assert changes.stale == []
    assert changes.others == ["src/app.py", "src/new.py"]
    assert "files were added or removed" in changes.refused[0]


def test_code_that_is_too_large_for_one_call_is_refused(record, project, monkeypatch):
    monkeypatch.setattr(sync, "MOST_BYTES", 10)
    (project / "src/app.py").write_text("edited")
    changes = sync.changes_of(record)
    assert changes.stale == []
    assert "and Lambda takes 10 at once" in changes.refused[0]


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"codes": [{}], "left_out": {}}'])
def test_deployment_without_a_record_of_its_functions_names_what_changed(record, project, text):
    file = record.directory / "functions.json"
    file.unlink() if text is None else file.write_text(text)
    (project / "src/app.py").write_text("edited")
    assert sync.changes_of(record) == sync.Changes(others=["src/app.py"])


def test_update_that_is_interrupted_is_made_whole_by_the_next(
    record, project, target, functions, said, monkeypatch
):
    """Ctrl-C between two functions of one archive: the record keeps saying that both are to be updated."""
    (project / "src/app.py").write_text("edited")
    give, before = functions.update_function_code, sync.recorded(record)

    def interrupted(**arguments):
        give(**arguments)
        os.kill(os.getpid(), signal.SIGINT)

    with interrupts.orderly_interrupts():
        functions.update_function_code = interrupted
        with pytest.raises(KeyboardInterrupt, match="SIGINT"):
            sync.update(record, target, sync.changes_of(record), said.append)
    assert list(functions.code) == ["a"]
    assert (said, sync.recorded(record)) == ([], before)
    functions.update_function_code = give
    sync.update(record, target, sync.changes_of(record), said.append)
    (code,) = sync.recorded(record).codes
    assert functions.code == {"a": code.digest, "b": code.digest}
    assert not sync.changes_of(record)


def test_update_is_awaited_on_aws(record, project, target, functions, said, monkeypatch):
    monkeypatch.setattr(sync, "_LOOK", 0.0)
    target.emulator_log = None
    functions.statuses = ["InProgress", "InProgress", "Successful", "Successful"]
    (project / "src/app.py").write_text("edited")
    sync.update(record, target, sync.changes_of(record), said.append)
    assert functions.asked == ["a", "a", "a", "b"]


def test_update_that_fails_on_aws_is_an_error_and_is_tried_again(record, project, target, functions, said):
    target.emulator_log = None
    functions.statuses = ["Failed"]
    (project / "src/app.py").write_text("edited")
    with pytest.raises(DeploymentError, match="code of function a can't be updated: no reason"):
        sync.update(record, target, sync.changes_of(record), said.append)
    assert sync.changes_of(record).functions == ["a", "b"]


def test_update_that_is_refused_names_the_function_and_the_remedy(record, project, target, functions, said):
    functions.refuses = "AccessDeniedException"
    (project / "src/app.py").write_text("edited")
    with pytest.raises(DeploymentError, match=r"function a can't be updated: .*; apply .* --harness-apply"):
        sync.update(record, target, sync.changes_of(record), said.append)


@pytest.fixture
def reused(record, target, said, monkeypatch):
    """The kept deployment as a test session uses it."""
    monkeypatch.setattr(DeploymentRecord, "find_target", lambda _self: target)
    with ExitStack() as stack:
        yield kept.Kept(record, stack, said.append)


def test_session_brings_the_functions_up_to_date_and_names_the_rest(reused, project, functions, said):
    (project / "src/app.py").write_text("edited")
    (project / "main.tf").write_text(MAIN + "# edited\n")
    reused.synchronise()
    assert set(functions.code) == {"a", "b"}
    assert said[1:] == [
        f"deployment {reused.record.deployment_id} is tested as it was applied; changed since: main.tf; "
        f"apply that with pytest --harness-reuse={reused.record.deployment_id} --harness-apply"
    ]


def hold(directory, ready, done):
    handle = os.open(directory, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    ready.set()
    done.wait(60)


def test_functions_do_not_change_under_the_tests_of_another_session(reused, project, functions):
    (project / "src/app.py").write_text("edited")
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(reused.record.directory), ready, done))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(DeploymentError, match=r"^a, b changed, but other tests use deployment d\w+ now"):
            reused.synchronise()
        assert functions.code == {}
    finally:
        done.set()
        other.join()
    reused.synchronise()
    assert set(functions.code) == {"a", "b"}


def test_deployment_is_shared_again_after_the_update(reused, project):
    (project / "src/app.py").write_text("edited")
    reused.synchronise()
    with reused.record.held(shared=True):
        pass
    with pytest.raises(BlockingIOError), reused.record.held():
        pass


def test_system_is_read_without_terraform(reused, monkeypatch):
    reused.target.region = "eu-west-1"
    monkeypatch.setattr(kept, "recorded_toolchain", lambda _record: pytest.fail("terraform was looked for"))
    assert reused.system().outputs == {"url": "http://x"}


def test_encrypted_state_is_left_to_the_program_that_can_read_it(reused, monkeypatch):
    reused.record.state.write_text('{"encrypted_data": "x"}')
    reused.target.region = "eu-west-1"
    monkeypatch.setattr(kept, "recorded_toolchain", lambda _record: None)
    monkeypatch.setattr(kept.TerraformCalls, "outputs", lambda _self: {"url": "http://y"})
    assert reused.system().outputs == {"url": "http://y"}


def test_deployment_that_was_not_kept_is_not_found(tmp_path):
    with pytest.raises(
        SettingError, match=r"^DEPLOYMENT_ID is 'd1' \(command line\), but no such deployment"
    ):
        kept.find(tmp_path, "d1", "command line", "DEPLOYMENT_ID")


@pytest.mark.parametrize(
    ("changed", "told"),
    [(["main.tf", "prod.tfvars"], []), (["main.tf", "src/app.js"], ["f (built)"]), ([], [])],
)
def test_code_that_cannot_be_synced_is_told_only_if_a_file_that_may_be_its_own_changed(changed, told):
    assert sync.Changes(others=changed, refused=["f (built)"]).not_synced == told
