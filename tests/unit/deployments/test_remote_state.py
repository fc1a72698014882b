"""States in a bucket: what is written, what another machine may take, and which lock may go."""
# ruff: noqa: N803 (the names are those of boto3)

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from event_harness.deployments import remote_state
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.remote_state import RemoteState
from event_harness.errors import SettingError, StateError
from event_harness.machine import clock
from event_harness.settings import Settings
from event_harness.terraform.toolchain import Toolchain

NOW = datetime(2025, 11, 1, 2, 17, tzinfo=UTC)
URL = "s3://states/nightly"


class Bucket:
    """S3 with one bucket, `states`."""

    def __init__(self, region="eu-west-1"):
        self.objects, self.region, self.denied = {}, region, ()

    def head_bucket(self, Bucket):
        if Bucket != "states":
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadBucket")
        return {"BucketRegion": self.region}

    def put_object(self, Bucket, Key, Body, ContentType):
        self._check("put_object")
        self.objects[Key] = Body

    def get_object(self, Bucket, Key):
        self._check("get_object")
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no such key"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def delete_object(self, Bucket, Key):
        self._check("delete_object")
        self.objects.pop(Key, None)
        return {}

    def get_paginator(self, _operation):
        return self

    def paginate(self, Bucket, Prefix, Delimiter):
        below = {key.removeprefix(Prefix).partition("/")[0] for key in self.objects if key.startswith(Prefix)}
        return [{"CommonPrefixes": [{"Prefix": f"{Prefix}{name}/"} for name in sorted(below)]}, {}]

    def _check(self, operation):
        if operation in self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "denied"}}, operation)


class Aws:
    region, endpoint_url = "eu-west-1", None

    def __init__(self, bucket):
        self.bucket = bucket

    def client(self, service):
        assert service == "s3"
        return self.bucket


@pytest.fixture
def bucket():
    return Bucket()


@pytest.fixture
def remote(bucket):
    return RemoteState.open(URL, Aws(bucket))


@pytest.fixture
def record(tmp_path):
    record = DeploymentRecord.create(tmp_path / "here", root=tmp_path, target="aws", region="eu-west-1")
    record.created_at, record.expires_at = NOW, NOW + timedelta(hours=4)
    record.remote_state, record.owner = URL, "runner@lost"
    record.variables, record.var_files = {"password": "secret"}, ["0-secret.tfvars"]
    record.configuration, record.stage = "config/root", "applied"
    record.provider_blocks = [{"region": "eu-west-1"}]
    return record


def test_backend_locks_by_a_file_and_gives_each_workspace_the_key_that_the_empty_root_uses():
    far = RemoteState.open(URL, Aws(Bucket(region="us-east-1")))
    by_workspace, alone = far.backend()["s3"], far.backend("d01")["s3"]
    assert by_workspace == {
        "bucket": "states", "region": "us-east-1", "encrypt": True, "use_lockfile": True,
        "key": "terraform.tfstate", "workspace_key_prefix": "nightly",
    }  # fmt: skip
    assert alone["key"] == "nightly/d01/terraform.tfstate"
    assert alone["use_lockfile"] is True


def test_bucket_of_an_emulator_that_tells_no_region_is_in_the_targets():
    assert RemoteState.open(URL, Aws(Bucket(region=None))).backend()["s3"]["region"] == "eu-west-1"


def test_record_beside_the_state_holds_no_variables(remote, bucket, record):
    remote.publish(record)
    (text,) = bucket.objects.values()
    assert b"secret" not in text
    assert json.loads(text)["provider_blocks"] == [{"region": "eu-west-1"}]


def test_expired_deployment_of_another_machine_is_put_on_record_and_living_one_is_not(
    remote, record, tmp_path, monkeypatch
):
    remote.publish(record)
    there, said = tmp_path / "there", []
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=3))
    remote.restore(there, (), said.append)
    assert not there.exists()
    assert said == [
        f"{record.deployment_id}: in use by runner@lost, as far as known, "
        "until 2025-11-01 06:17 UTC, left alone"
    ]
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=5))
    remote.restore(there, (), said.append)
    restored = DeploymentRecord.load(there / "deployments" / record.deployment_id)
    assert (restored.stage, restored.configuration, restored.remote_state) == ("apply", "", URL)
    assert restored.provider_blocks == record.provider_blocks
    assert not restored.in_progress()


def test_dry_run_puts_nothing_on_record_and_a_deployment_that_is_here_stays_as_it_is(
    remote, record, tmp_path
):
    remote.publish(record)  # it has expired: the clock is the real one
    said = []
    remote.restore(tmp_path / "there", (), said.append, dry_run=True)
    remote.restore(tmp_path / "here", (), said.append)
    remote.restore(tmp_path / "there", ["d0another"], said.append)
    assert not (tmp_path / "there").exists()
    assert said == [
        f"{record.deployment_id}: would be destroyed by its state in {URL}, expired 2025-11-01 06:17 UTC"
    ]


def test_record_that_cannot_be_read_is_told_of_and_other_objects_are_not_ours(
    remote, bucket, record, tmp_path
):
    bucket.objects[f"nightly/{record.deployment_id}/record.json"] = b"{"
    bucket.objects["nightly/notes/readme.txt"] = b"mine"
    said = []
    remote.restore(tmp_path / "there", (), said.append)
    (line,) = said
    assert line.startswith(f"{record.deployment_id}: its record in {URL} can't be read")


def test_copy_of_the_state_follows_the_bucket(remote, bucket, record):
    bucket.objects[f"nightly/{record.deployment_id}/terraform.tfstate"] = b'{"resources": []}'
    remote.fetch(record)
    assert record.managed() == []
    bucket.objects.clear()
    remote.fetch(record)
    assert not record.state.exists()
    with pytest.raises(StateError):  # it was applied
        record.managed()


@pytest.mark.parametrize(
    ("lock", "removed"),
    [
        (b'{"Who": "runner@lost"}', True),
        (b'{"Who": "root@lost"}', True),
        (b'{"Wh', True),
        (b'{"Who": "runner@another"}', False),
        (None, False),
    ],
)
def test_only_a_lock_of_the_lost_machine_is_removed(remote, bucket, record, lock, removed):
    key = f"nightly/{record.deployment_id}/terraform.tfstate.tflock"
    if lock:
        bucket.objects[key] = lock
    assert remote.unlock(record) is removed
    assert (key in bucket.objects) is (lock is not None and not removed)


def test_nothing_of_a_destroyed_deployment_stays_in_the_bucket(remote, bucket, record):
    remote.publish(record)
    bucket.objects[f"nightly/{record.deployment_id}/terraform.tfstate"] = b"{}"
    bucket.objects["nightly/d0another/record.json"] = b"{}"
    remote.forget(record.deployment_id)
    assert list(bucket.objects) == ["nightly/d0another/record.json"]


def test_denied_call_is_one_line(remote, bucket, record):
    bucket.denied = ("put_object",)
    with pytest.raises(
        StateError, match=r"put_object of s3://states/nightly/\w+/record.json failed: .*denied"
    ):
        remote.publish(record)


def tools(kind, version):
    return Toolchain(binary="/bin/x", kind=kind, version=version, providers="registry", cli_config="x")


@pytest.mark.parametrize(
    ("kind", "old", "new"), [("terraform", "1.10.5", "1.11.0"), ("tofu", "1.9.1", "1.10.0")]
)
def test_terraform_must_be_able_to_lock_by_a_file(bucket, kind, old, new):
    settings = Settings({"remote_state": URL, "target": "aws"}, {})
    assert remote_state.wanted(settings, Aws(bucket), tools(kind, new)) == URL
    with pytest.raises(SettingError, match="or newer"):
        remote_state.wanted(settings, Aws(bucket), tools(kind, old))


def test_missing_bucket_is_told_before_anything_is_deployed(bucket):
    settings = Settings({"remote_state": "s3://another/nightly", "target": "aws"}, {})
    with pytest.raises(SettingError, match="s3://another/nightly, but the bucket another can't be used"):
        remote_state.wanted(settings, Aws(bucket), tools("terraform", "1.11.4"))


def test_emulator_of_the_session_keeps_its_state_here(bucket):
    settings = Settings({"remote_state": URL}, {})
    assert remote_state.wanted(settings, Aws(bucket), tools("terraform", "1.3.0")) == ""


@pytest.mark.parametrize(
    "text", ["states/nightly", "s3://states", "s3://states/", "s3://States/a", "s3://s/a b"]
)
def test_url_names_a_bucket_and_a_prefix(text):
    with pytest.raises(SettingError, match="s3://BUCKET/PREFIX"):
        Settings({"remote_state": text}, {})


def test_variable_of_a_workflow_that_is_not_set_counts_as_none():
    assert Settings({}, {"EVENT_HARNESS_REMOTE_STATE": ""})["remote_state"] is None
