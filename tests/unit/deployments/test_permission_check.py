"""After apply on an emulator, a missing permission is an error; `iam=off` asks for nothing."""

import dataclasses
import types

import pytest

from event_harness import cli
from event_harness.aws.targets import Identity, Target
from event_harness.deployments import own_emulator, permission_check, session, status
from event_harness.deployments.permission_check import check_permissions
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.session import Session
from event_harness.errors import MissingPermissionError, SettingError
from event_harness.permissions import limits
from event_harness.permissions.look import Look
from event_harness.permissions.need import Need
from event_harness.settings import Settings
from event_harness.system.graph.state import State

QUEUE = "arn:aws:sqs:eu-west-1:0:q"
NEED = Need(
    "aws_sns_topic_subscription.a", "sqs:SendMessage", QUEUE, service="sns.amazonaws.com", source="arn:t"
)


def checked(monkeypatch, record=None, **found):
    """The lines of a check that finds this."""
    monkeypatch.setattr(permission_check, "look", lambda *_, **__: Look(**{**NOTHING, **found}))
    monkeypatch.setattr(permission_check, "read", lambda _state: State((), {}))
    record = record or types.SimpleNamespace(state="terraform.tfstate", save=lambda: None)
    identity = Identity("000000000000", "arn")
    target = types.SimpleNamespace(client=None, region="eu-west-1", check=lambda: identity)
    said = []
    check_permissions(record, target, said.append)
    return said


NOTHING = {"missing": (), "unknown": (), "checked": 0, "not_looked_at": ()}


def test_missing_permissions_are_an_error_with_a_line_for_each(monkeypatch):
    with pytest.raises(MissingPermissionError) as error:
        checked(monkeypatch, missing=(NEED, NEED))
    first, one, two, last = str(error.value).splitlines()
    assert first == "the system lacks 2 permissions, so it would fail on AWS:"
    assert one == two == f"  {NEED}: {NEED.remedy}"
    assert "--harness-iam=off" in last


def test_kept_deployment_whose_last_apply_failed_the_check_is_not_tested_without_a_word(
    tmp_path, monkeypatch, capsys
):
    record = DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")
    record.endpoint_url, record.region, record.kept = "http://127.0.0.1:9", "eu-west-1", True
    with pytest.raises(MissingPermissionError):
        checked(monkeypatch, record, missing=(NEED,))
    monkeypatch.setattr(session.kept.Kept, "system", lambda _self: "the system")
    monkeypatch.setattr(Target, "check", lambda _self: Identity("000000000000", "arn"))

    def reused(iam):
        one = Session(Settings({"reuse": "last", "iam": iam}, {}), tmp_path)
        try:
            return one.system()
        finally:
            one.close()

    with pytest.raises(MissingPermissionError) as error:
        reused("on")
    first, lack, remedy = str(error.value).splitlines()
    assert first.startswith(f"deployment {record.deployment_id} lacks permissions since its last apply")
    assert lack == f"  {NEED}: {NEED.remedy}"
    assert f"pytest --harness-reuse={record.deployment_id} --harness-apply" in remedy
    assert reused("off") == "the system"
    monkeypatch.setattr(status.Target, "gone", lambda _self: False)
    monkeypatch.setattr(status.up, "running", lambda _project: None)
    assert cli.main(["--project", str(tmp_path), "status"]) == 0
    assert f"failed the check of permissions; it lacks:\n  {lack}\n" in capsys.readouterr().out
    checked(monkeypatch, record, checked=1)
    assert reused("on") == "the system"


@pytest.mark.parametrize(("iam", "told"), [("off", True), ("on", True), (None, False)])
def test_session_that_reuses_an_emulator_says_that_it_enforces_roles_as_before(
    tmp_path, monkeypatch, iam, told
):
    record = DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")
    record.endpoint_url, record.region, record.kept = "http://127.0.0.1:9", "eu-west-1", True
    record.save()
    monkeypatch.setattr(session.kept.Kept, "system", lambda _self: "the system")
    monkeypatch.setattr(Target, "check", lambda _self: Identity("000000000000", "arn"))
    said = []
    one = Session(Settings({"reuse": "last", "iam": iam}, {}), tmp_path, say=said.append)
    one.system()
    one.close()
    line = (
        f"iam is {iam} (--harness-iam), but the emulator of deployment {record.deployment_id} enforces roles "
        "as it did when it was started"
    )
    assert (line in said) is told
    assert any("enforces roles" in one for one in said) is told


def test_missing_permission_for_dead_letters_is_said_and_no_error(monkeypatch):
    """AWS accepts such a system, and it works until something can't be delivered."""
    letters = dataclasses.replace(NEED, for_failures=True)
    said = checked(monkeypatch, missing=(letters,), checked=2)
    assert said == [
        f"permissions: AWS would lose the dead letters of {letters}: {letters.remedy}",
        "permissions: 2 of the system's connections are there",
    ]
    with pytest.raises(MissingPermissionError) as error:
        checked(monkeypatch, missing=(letters, NEED))
    assert "the system lacks a permission, so" in str(error.value)


def test_what_was_not_checked_is_said_in_one_line(monkeypatch):
    assert checked(monkeypatch) == []
    assert checked(monkeypatch, checked=3) == ["permissions: 3 of the system's connections are there"]
    assert checked(monkeypatch, checked=1, unknown=(NEED,), not_looked_at=("IoT rules",)) == [
        "permissions: 1 of the system's connections are there; "
        f"not checked: IoT rules, sqs:SendMessage on {QUEUE}"
    ]


@pytest.mark.parametrize(("setting", "expected"), [("on", True), ("off", False), (None, True)])
def test_a_session_enforces_roles_and_checks_permissions_unless_iam_is_off(
    tmp_path, monkeypatch, setting, expected
):
    asked = {}

    class Fake:
        def __init__(self, _root, _target, _tools, _record, **options):
            asked["check"] = options["check_permissions"]

        def apply(self):
            return "the system"

        def destroy(self):
            pass

    def start(_directory, **options):
        asked["auth"] = options["auth"]
        return types.SimpleNamespace(
            stop=lambda: None, alive=lambda: True, target=lambda _region: Target.local("http://127.0.0.1:9")
        )

    monkeypatch.setattr(session, "Deployment", Fake)
    monkeypatch.setattr(own_emulator.LocalEmulator, "start", start)
    monkeypatch.setattr(session.toolchain, "find", lambda *_what, **_more: None)
    one = Session(Settings({"iam": setting}, {}), tmp_path)
    assert one.system() == "the system"
    one.close()
    assert asked == {"check": expected, "auth": expected}


def test_a_real_account_checks_its_permissions_itself(tmp_path, monkeypatch):
    asked = {}

    class Fake:
        def __init__(self, _root, _target, _tools, _record, **options):
            asked["check"] = options["check_permissions"]

        def apply(self):
            return "the system"

    monkeypatch.setattr(session, "Deployment", Fake)
    monkeypatch.setattr(Target, "check", lambda _self: Identity("123456789012", "arn"))
    monkeypatch.setattr(session.toolchain, "find", lambda *_what, **_more: None)
    Session(Settings({"target": "aws", "region": "eu-west-1"}, {}), tmp_path).system()
    assert asked == {"check": False}


def test_iam_is_on_or_off():
    assert [Settings({"iam": text}, {})["iam"] for text in ("on", "true", "off", "0")] == [
        "on",
        "on",
        "off",
        "off",
    ]
    with pytest.raises(SettingError, match=r"iam is 'maybe' \(--harness-iam\); valid: on or off"):
        Settings({"iam": "maybe"}, {})


def test_the_header_says_what_is_not_checked():
    assert limits.header("on") == (
        "permissions: not checked: KMS keys of roles, logs and traces, other accounts, s3:ListBucket,"
        " rarer services (docs/permissions.md)"
    )
    assert limits.header("off") == "permissions: not checked (iam off)"
