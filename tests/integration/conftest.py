"""Further systems beside the session's own, on the same target."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from event_harness import toolchain
from event_harness.deployment import Deployment
from event_harness.inflight import InFlight
from event_harness.listener import Listener
from event_harness.runs import Run, new_run_id

SYSTEMS = Path(__file__).parent / "systems"


@pytest.fixture(scope="module")
def listener_of(deployment, tmp_path_factory):
    """Deploys a system of the folder `systems` by its name, once, and returns a listener for it."""
    target, made = deployment.target, {}
    with ExitStack() as stack:

        def make(name):
            if name not in made:
                root, state = SYSTEMS / name, tmp_path_factory.mktemp(name)
                run = Run.create(state, root=root, target=target.name, endpoint_url=target.endpoint_url)
                tools = toolchain.find(None, target=target.name)
                system = stack.enter_context(Deployment(root, target, tools, run))
                made[name] = Listener(system.resources, target, new_run_id(), sla=60, in_flight=InFlight(8))
            return made[name]

        yield make
