"""What Terraform's state files say: resources that exist as far as terraform knows."""

import json
import os
from collections.abc import Iterator
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


def providers(file: Path) -> list[str]:
    """Addresses of all providers in a state, also of data sources: Terraform loads each of them."""
    return sorted({one["provider"] for one in json.loads(file.read_text(encoding="utf-8"))["resources"]})


def may_hold_resources(directory: Path) -> bool:
    """Whether the state of any workspace of a Terraform root below a directory names any, or is cut off.

    Raises:
        OSError: a directory can't be read, so it isn't known.
    """
    try:
        return any(managed(state) for state in _states(directory))
    except StateError:
        return True


def _states(directory: Path) -> Iterator[Path]:
    """Every state of a workspace, and every `errored.tfstate`, which terraform writes in need.

    The state in TF_DATA_DIR is left out: it holds no resources.
    """
    for folder, _, names in os.walk(directory, onerror=_refuse):
        of_a_workspace = Path(folder).parent.name == "terraform.tfstate.d"
        for name in names:
            if name == "errored.tfstate" or (of_a_workspace and name.endswith(".tfstate")):
                yield Path(folder, name)


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # it may have just been deleted
        raise error
