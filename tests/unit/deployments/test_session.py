"""Which system a session tests, that it can't be two, and that nobody sweeps it meanwhile."""

import types
from contextlib import ExitStack

import pytest

from event_harness.aws.identities import Identity
from event_harness.aws.targets import Target
from event_harness.deployments import kept, own_emulator, session, sweep
from event_harness.deployments.own_emulator import OwnEmulator
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.session import Session
from event_harness.errors import DeploymentError, DestroyError, EmulatorError, SettingError
from event_harness.settings import Settings


@pytest.mark.parametrize(
    ("options", "environ", "ini", "origins"),
    [
        (
            {"reuse": "r1", "resources": "map.json"},
            {},
            {},
            ["'map.json' (--harness-resources)", "'r1' (--harness-reuse)"],
        ),
        (
            {"reuse": "last"},
            {"EVENT_HARNESS_RESOURCES": "ssm:/map"},
            {},
            ["'ssm:/map' (EVENT_HARNESS_RESOURCES)", "'last' (--harness-reuse)"],
        ),
        ({"reuse": "r1"}, {}, {"resources": "map.json"}, ["'map.json' (ini)", "'r1' (--harness-reuse)"]),
    ],
    ids=["options", "environment", "ini file"],
)
def test_reuse_and_resources_exclude_each_other_and_the_error_names_both_origins(
    tmp_path, options, environ, ini, origins
):
    with pytest.raises(SettingError, match="these are two systems, give one of them") as error:
        Session(Settings(options, environ, ini), tmp_path).system()
    assert all(origin in str(error.value) for origin in origins)


def test_reused_deployment_is_locked_until_the_session_ends(tmp_path, monkeypatch):
    record = DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")
    record.endpoint_url, record.region, record.kept = "http://127.0.0.1:9", "eu-west-1", True
    record.save()
    monkeypatch.setattr(kept.Kept, "system", lambda _self: "the system")
    monkeypatch.setattr(Target, "check", lambda _self: Identity("000000000000", "arn"))
    reusing, beside = (Session(Settings({"reuse": record.deployment_id}, {}), tmp_path) for _ in range(2))
    assert reusing.system() == beside.system() == "the system"
    said = []
    assert sweep.sweep(reusing.state_dir, only=[record.deployment_id], say=said.append) == 1
    assert said == [f"{record.deployment_id}: in use by tests that reuse it, left alone"]
    reusing.close()
    beside.close()
    with record.held():
        pass


def test_versions_are_those_of_what_the_session_has_applied_with(tmp_path, monkeypatch):
    class Applied:
        def __init__(self, *_given, **_options):
            pass

        def apply(self):
            return "the system"

        def versions(self):
            return {"terraform": "1.11.4"}

    monkeypatch.setattr(session, "Deployment", Applied)
    monkeypatch.setattr(session.toolchain, "find", lambda *_what, **_more: None)
    monkeypatch.setattr(Target, "check", lambda _self: Identity("123456789012", "arn"))
    one = Session(Settings({"target": "aws", "region": "eu-west-1"}, {}), tmp_path)
    assert one.versions() == {}
    one.system()
    assert one.versions() == {"terraform": "1.11.4"}


def test_deployment_that_is_being_swept_is_not_reused(tmp_path):
    record = DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")
    record.kept = True
    record.save()
    with (
        record.held(),
        pytest.raises(SettingError, match="is being swept or updated, and can't be reused now"),
    ):
        Session(Settings({"reuse": "last"}, {}), tmp_path).system()


def test_what_a_failed_deployment_has_left_is_told_again_at_the_end(tmp_path, monkeypatch):
    class FailingDeployment:
        def __init__(self, _root, _target, _tools, record, **_):
            record.at("apply")

        def apply(self):
            error = DeploymentError("apply failed")
            error.add_note("deployment d1 is not destroyed")
            raise error

    monkeypatch.setattr(session, "Deployment", FailingDeployment)
    monkeypatch.setattr(Target, "check", lambda _self: Identity("000000000000", "arn"))
    monkeypatch.setattr(session.toolchain, "find", lambda *_what, **_more: None)
    one = Session(Settings({"target": "http://127.0.0.1:9"}, {}), tmp_path)
    with pytest.raises(DeploymentError):
        one.system()
    assert one.known_system is None
    assert one.record is not None  # a report tells of it
    with pytest.raises(DestroyError, match="deployment d1 is not destroyed"):
        one.close()
    one.close()


@pytest.mark.parametrize("fails_at", ["apply", "destroy"])
@pytest.mark.parametrize("keep", [False, True])
def test_nothing_is_on_record_of_a_deployment_that_has_ended_with_its_own_emulator(
    tmp_path, monkeypatch, fails_at, keep
):
    ended = []

    class FailingDeployment:
        def __init__(self, _root, _target, _tools, record, **_):
            self.record = record
            record.at("apply")

        def apply(self):
            if fails_at == "apply":
                error = DeploymentError("apply failed")
                error.add_note("deployment d1 could not be destroyed")
                raise error
            return "the system"

        def destroy(self):
            raise DestroyError("deployment d1 could not be destroyed")

    emulator = types.SimpleNamespace(
        stop=lambda: ended.append("stop"),
        alive=lambda: True,
        target=lambda _region: Target.local("http://127.0.0.1:9"),
    )
    monkeypatch.setattr(session, "Deployment", FailingDeployment)
    monkeypatch.setattr(own_emulator.LocalEmulator, "start", lambda *_, **__: emulator)
    monkeypatch.setattr(session.LocalEmulator, "end", lambda directory: ended.append(directory.name))
    monkeypatch.setattr(session.toolchain, "find", lambda *_what, **_more: None)
    one = Session(Settings({"keep": keep}, {}), tmp_path)
    monkeypatch.setattr(one, "_keep", lambda _record: False)  # its state was deleted
    if fails_at == "apply":
        with pytest.raises(DeploymentError):
            one.system()
        one.close()
    else:
        assert one.system() == "the system"
        with pytest.raises(DestroyError, match="deployment d1 could not be destroyed"):
            one.close()
    assert ended == (["aws"] if keep else ["stop", "aws"])
    assert list((tmp_path / ".event-harness").rglob("record.json")) == []


class StartingEmulator:
    """An emulator that is told to start, and answers once it is waited for, at another port if need be."""

    def __init__(self, ports):
        self.ports, self.waited, self.stopped = ports, False, 0

    def start(self, _directory, **options):
        assert options["wait"] is False
        return self

    def wait_until_ready(self):
        self.waited = True

    def target(self, _region):
        return Target.local(f"http://127.0.0.1:{self.ports[self.waited]}", "eu-west-1")

    def alive(self):
        return self.waited

    def stop(self):
        self.stopped += 1


def test_emulator_boots_meanwhile_and_is_not_missed_before_it_answers(tmp_path, monkeypatch):
    starting = StartingEmulator([1, 2])
    monkeypatch.setattr(own_emulator, "LocalEmulator", starting)
    record = DeploymentRecord.create(tmp_path, root=tmp_path, target="local")
    with ExitStack() as ends:
        one = OwnEmulator(Settings({}, {}), ends, print)
        assert one.answering() is None
        assert one.start(record).endpoint_url == "http://127.0.0.1:1"
        one.check()
        assert not starting.waited
        assert one.answering().endpoint_url == "http://127.0.0.1:2"
        assert one.answering() is None
        one.check()
    assert starting.stopped == 1


def test_emulator_that_does_not_start_ends_the_deployment(tmp_path, monkeypatch):
    starting = StartingEmulator([1, 1])
    starting.wait_until_ready = lambda: (_ for _ in ()).throw(EmulatorError("MiniStack ended while starting"))
    monkeypatch.setattr(own_emulator, "LocalEmulator", starting)
    monkeypatch.setattr(session.toolchain, "find", lambda *_what, **_more: None)

    class Waiting:
        def __init__(self, *_, answering, **__):
            self.apply = answering

    monkeypatch.setattr(session, "Deployment", Waiting)
    one = Session(Settings({}, {}), tmp_path)
    with pytest.raises(EmulatorError, match="MiniStack ended while starting"):
        one.system()
    assert starting.stopped == 1
    assert list((tmp_path / ".event-harness").rglob("record.json")) == []


def test_close_does_nothing_in_another_process(tmp_path, monkeypatch):
    one = Session(Settings({}, {}), tmp_path)
    one.deployment = object()  # destroying it would fail
    monkeypatch.setattr(one, "_process", -1)
    one.close()
    assert one.deployment


def test_emulator_that_has_ended_is_told_at_once_and_only_before_the_end(monkeypatch):
    monkeypatch.setattr(own_emulator, "_LOOK", 0.001)
    told = []
    one = OwnEmulator(Settings({}, {}), ExitStack(), told.append)
    one._running = types.SimpleNamespace(alive=lambda: False, pid=1, log="emulator.log")
    one._watch()
    assert told[0].startswith("the local AWS emulator (process 1) has ended")
    one._stopping.set()
    one._watch()
    assert len(told) == 1


@pytest.mark.parametrize(
    ("environ", "setting", "expected"),
    [
        ({}, None, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "sa-east-1"}, None, "sa-east-1"),
        ({"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "sa-east-1"}, None, "us-east-1"),
        ({"AWS_REGION": "us-east-1"}, "eu-north-1", "eu-north-1"),
    ],
)
def test_region_is_that_of_the_environment_as_for_plain_terraform(
    tmp_path, monkeypatch, environ, setting, expected
):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, text in environ.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(Target, "check", lambda _self: Identity("000000000000", "arn"))
    settings = Settings({"target": "http://127.0.0.1:9", "region": setting}, {})
    assert Session(settings, tmp_path)._existing_target().region == expected
