"""Which system a session tests, that it can't be two, and that nobody sweeps it meanwhile."""

import pytest

from event_harness.aws.targets import Identity, Target
from event_harness.deployments import session, sweep
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.session import Session
from event_harness.errors import SettingError
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


class FakeDeployment:
    """The deployment of a kept deployment, of which nothing is there."""

    def __init__(self, *_what):
        pass

    def system(self):
        return "the system"


def test_reused_deployment_is_locked_until_the_session_ends(tmp_path, monkeypatch):
    record = DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")
    record.endpoint_url, record.region, record.kept = "http://127.0.0.1:9", "eu-west-1", True
    record.save()
    monkeypatch.setattr(session, "Deployment", FakeDeployment)
    monkeypatch.setattr(Target, "check", lambda _self: Identity("000000000000", "arn"))
    monkeypatch.setattr(session.toolchain, "find", lambda *_what, **_more: None)
    reusing, beside = (Session(Settings({"reuse": record.deployment_id}, {}), tmp_path) for _ in range(2))
    assert reusing.system() == beside.system() == "the system"
    said = []
    assert sweep.sweep(reusing.state_dir, only=[record.deployment_id], say=said.append) == 1
    assert said == [f"{record.deployment_id}: in use by tests that reuse it, left alone"]
    reusing.close()
    beside.close()
    with record.held():
        pass


def test_deployment_that_is_being_swept_is_not_reused(tmp_path):
    record = DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")
    record.kept = True
    record.save()
    with record.held(), pytest.raises(SettingError, match="is being swept and can't be reused"):
        Session(Settings({"reuse": "last"}, {}), tmp_path).system()
