"""What Terraform's state files say: resources that exist as far as terraform knows."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from event_harness.errors import StateError


def managed(file: Path) -> list[dict[str, Any]]:
    """The resources in a state, but for data sources and those without instances.

    Raises:
        StateError: the state can't be read.
    """
    return [one for one in resources(file) if one["mode"] == "managed" and one["instances"]]


def resources(file: Path) -> list[dict[str, Any]]:
    """The resources and data sources in a state, as it writes them; none if there is no state.

    Raises:
        StateError: the state can't be read.
    """
    return _whole(file, "resources") or []


def instances(
    resources: Iterable[Mapping[str, Any]], mode: str, types: tuple[str, ...]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each instance of resources of some types, with its resource.

    Args:
        resources: as `resources` returns them.
        mode: "managed" or "data".
        types: the types.
    """
    for one in resources:
        if one["mode"] == mode and one["type"] in types:
            for instance in one["instances"]:
                yield one, instance


def outputs(file: Path) -> dict[str, Any]:
    """The values of the root's outputs by name, also of sensitive ones.

    Raises:
        StateError: the state can't be read, or there is none.
    """
    found = _whole(file, "outputs")
    if found is None:
        raise StateError(f"{file} has been deleted")
    try:
        return {name: output["value"] for name, output in found.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise StateError(f"{file} can't be read, it was cut off while it was written") from error


def address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    """The address of an instance, as terraform prints it: `module.a["b"].data.archive_file.code[0]`."""
    data = "data" if resource["mode"] == "data" else None
    name = ".".join(filter(None, [resource.get("module"), data, resource["type"], resource["name"]]))
    key = instance.get("index_key")
    return name if key is None else f"{name}[{json.dumps(key, ensure_ascii=False)}]"


def _whole(file: Path, part: str) -> Any:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        for one in content["resources"]:
            _ = one["mode"], one["instances"]
        return content[part]
    except FileNotFoundError:
        return None
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
