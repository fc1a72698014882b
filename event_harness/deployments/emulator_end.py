"""Whether the end of an emulator destroys all that was deployed to it: nothing may be outside of it.

With `--harness-destroy=emulator` a session ends its own emulator instead of calling `terraform destroy`.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import StateError
from event_harness.terraform.configuration import Configuration

# Their resources are values in the state and nothing else.
_ONLY_VALUES = ("hashicorp/random", "hashicorp/time", "builtin/terraform")
_AWS = "hashicorp/aws"
_ON_DESTROY = re.compile(r'\bwhen"?\s*[=:]\s*"?(?:\$\{)?destroy\b')


def ended(record: DeploymentRecord, emulator: ExitStack, say: Callable[[str], None]) -> bool:
    """End a deployment with its emulator. Returns whether that destroys everything; else nothing is done.

    Args:
        record: of a deployment that is applied.
        emulator: ends the emulator, and raises an EmulatorError if a process of it is left.
        say: prints a line.
    """
    if why := why_not(record):
        say(f"deployment {record.deployment_id} doesn't end with its emulator alone: {why}")
        return False
    count = len(record.managed_resources())
    emulator.close()
    record.delete()
    say(
        f"ended the emulator of deployment {record.deployment_id}, and with it all its resources "
        f"({count} in the state, none outside)"
    )
    return True


def why_not(record: DeploymentRecord) -> str:
    """Why `terraform destroy` is needed; empty if the end of the emulator destroys everything.

    Args:
        record: of a deployment that is applied.
    """
    if not record.own_emulator:
        return "it has no emulator of its own"
    if record.remote_state:
        return "its state is in a bucket, too"
    try:
        resources = record.managed()
    except StateError as error:
        return str(error)
    for one in resources:
        provider = re.search(r'provider\["(?:[^"/]+/)?([^"/]+/[^"/]+)"\]', one["provider"])
        name = provider[1] if provider else one["provider"]
        if name != _AWS and name not in _ONLY_VALUES:
            return f"{one['type']}.{one['name']} is a resource of {name}, which works outside of the emulator"
    try:
        for file in _files(record):
            if _ON_DESTROY.search(file.read_text(encoding="utf-8-sig")):
                return f"{file.name} has a provisioner for the time of the destroy"
    except (OSError, ValueError, KeyError) as error:
        return f"its configuration can't be read ({error})"
    return ""


def _files(record: DeploymentRecord) -> Iterator[Path]:
    """The Terraform files of the root and of all modules, also of those that are fetched."""
    root = record.configuration_dir
    manifest = record.directory / "data" / "modules" / "modules.json"
    places = {root}
    if manifest.exists():
        modules = json.loads(manifest.read_text(encoding="utf-8"))["Modules"]
        places |= {Path(os.path.normpath(root / module["Dir"])) for module in modules}
    for place in sorted(places):
        found = Configuration.read(place, tofu=True)
        yield from (*found.contents, *found.broken)
