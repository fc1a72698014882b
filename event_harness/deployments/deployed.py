"""The system that a deployment's state describes: its outputs, and how events pass through it."""

from collections.abc import Mapping
from typing import Any

from event_harness.aws.targets import Target
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import StateError
from event_harness.system.deployed_system import DeployedSystem
from event_harness.system.graph import emulated, state
from event_harness.system.graph.build import build
from event_harness.system.graph.model import Graph


def system_of(
    record: DeploymentRecord, target: Target, outputs: Mapping[str, Any], declares_harness: bool
) -> DeployedSystem:
    """The system of a deployment.

    Args:
        record: the deployment's record.
        target: where it is.
        outputs: all Terraform outputs, by name.
        declares_harness: whether its configuration has the output `event_harness`.

    Raises:
        SettingError: it is in another region than the target.
    """
    system = DeployedSystem(record.deployment_id, target, outputs, declares_harness, graph=_graph(record))
    system.check_region()
    return system


def remarks(system: DeployedSystem) -> list[str]:
    """What is to be said of a system after apply, a line each.

    A line tells of a resource that could not be understood, so that the graph leaves it out. Or it tells of a
    connection that the local AWS emulator accepts and does not carry out as AWS does.
    """
    if system.graph is None:
        return []
    lines = [f"the graph of the system leaves out {one}" for one in system.graph.unread]
    if system.target.emulator_log:
        lines += [emulated.told(system.graph, *found) for found in emulated.not_carried_out(system.graph)]
    return lines


def _graph(record: DeploymentRecord) -> Graph | None:
    """How events pass through what is deployed; None if the state can't be read."""
    try:
        return build(state.read(record.state))
    except StateError:  # then only the components that the module lists are known
        return None
