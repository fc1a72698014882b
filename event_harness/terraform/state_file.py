"""What Terraform's state files say: resources that exist as far as terraform knows."""

import json
from pathlib import Path
from typing import Any

from event_harness.errors import StateError


def managed(file: Path) -> list[dict[str, Any]]:
    """The resources in a state, but for data sources and those without instances.

    Raises:
        StateError: the state can't be read.
    """
    try:
        resources = json.loads(file.read_text(encoding="utf-8"))["resources"]
        return [one for one in resources if one["mode"] == "managed" and one["instances"]]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StateError(f"{file} can't be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{file} can't be read, it was cut off while it was written") from error


def may_hold_resources(directory: Path) -> bool:
    """Whether the state of any workspace of a Terraform root below a directory names any, or is cut off."""
    # Beside them lies what terraform writes where it can't write a state; TF_DATA_DIR's has no resources.
    states = [*directory.rglob("terraform.tfstate.d/*/*.tfstate"), *directory.rglob("errored.tfstate")]
    try:
        return any(managed(state) for state in states)
    except StateError:
        return True
