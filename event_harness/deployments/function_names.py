"""How functions are named to a person: by their components, as tests name them."""

import contextlib
from collections.abc import Iterable

from event_harness.deployments.journals import published
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import HarnessError


def told(record: DeploymentRecord, functions: Iterable[str]) -> dict[str, str]:
    """Each function's own name -> how to tell it: `confirm`, or `confirm (accept-orders)`.

    The function's own name follows where it doesn't contain the component's. It stands alone where the system
    of the deployment isn't known.
    """
    names = list(functions)
    owners: dict[str, str] = {}
    with contextlib.suppress(HarnessError):
        if names and (system := published(record.directory)):
            owners = system.resources.owners
    return {name: _told(owners.get(name, name), name) for name in names}


def _told(component: str, function: str) -> str:
    alike = component.replace("_", "-") in function.replace("_", "-")
    return component if alike else f"{component} ({function})"
