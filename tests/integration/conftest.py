"""Selects the tests for a real account; deploys further systems on the target of the session."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.listening.listener import Listener
from event_harness.plugin_process import SETTINGS_KEY
from event_harness.producers.inflight import InFlight
from event_harness.system.correlation import new_session_id
from event_harness.terraform import toolchain

SYSTEMS = Path(__file__).parent / "systems"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """On a real account, skip the tests without the marker, before any fixture is set up.

    Most tests here are about emulators and this machine, break the system, or deploy resources that the role
    of docs/aws.md may not create.
    """
    on_account = item.config.stash[SETTINGS_KEY]["target"] == "aws"
    if on_account and item.get_closest_marker("real_account") is None:
        pytest.skip("not marked real_account: it needs an emulator (any other --harness-target)")


@pytest.fixture(scope="module")
def listener_of(deployment, tmp_path_factory):
    """A function that deploys a system of the folder `systems` once, and returns a listener for it."""
    target, made = deployment.target, {}
    with ExitStack() as stack:

        def make(name):
            if name not in made:
                root, state = SYSTEMS / name, tmp_path_factory.mktemp(name)
                record = DeploymentRecord.create(
                    state, root=root, target=target.name, endpoint_url=target.endpoint_url
                )
                tools = toolchain.find(None, target=target.name)
                system = stack.enter_context(Deployment(root, target, tools, record, check_permissions=True))
                made[name] = Listener(
                    system.resources, target, new_session_id(), sla=60, in_flight=InFlight(8)
                )
            return made[name]

        yield make
