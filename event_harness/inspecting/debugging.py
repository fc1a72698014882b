"""`--harness-debug`: functions wait for a debugger."""

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from event_harness.aws.instruments import Debugged
from event_harness.aws.targets import Target
from event_harness.errors import SettingError
from event_harness.inspecting import folder as folders
from event_harness.inspecting.code_origin import Project
from event_harness.machine.ports import LOOPBACK
from event_harness.system.graph.model import LISTENER
from event_harness.system.resources import ResourceMap, function_name

ALL = "all"
FIRST_PORT = 5678
"""The port of the first debugged function; the others follow. It is debugpy's own default."""
_LAST_PORT = 5978
_LOOK = 0.2  # seconds


def check_installed() -> None:
    """Raise an error if debugpy is missing.

    Raises:
        SettingError: it is.
    """
    if find_spec("debugpy") is None:
        raise SettingError(
            "--harness-debug needs debugpy, which is not installed: pip install 'event-harness[debug]'"
        )


def functions(wanted: str, resources: ResourceMap | None, target: Target) -> dict[str, str]:
    """The functions to debug: the name of each -> the name of its component, else its own.

    Args:
        wanted: `all`, the name of a component, or a function's own name.
        resources: the resource map, if the system has one.
        target: where the functions are. IAM: lambda:ListFunctions.

    Raises:
        SettingError: there is no such function, or it isn't one of Python.
    """
    pages = target.client("lambda").get_paginator("list_functions").paginate()
    runtimes = {
        one["FunctionName"]: str(one.get("Runtime", "")) for page in pages for one in page["Functions"]
    }
    named = _components(resources)
    if wanted != ALL:
        component = resources.component_named(wanted) if resources else wanted
        name = named.get(component, wanted)
        if name not in runtimes:
            there = sorted({*named, *(set(runtimes) - set(named.values()))})
            raise SettingError(
                f"debug is {wanted!r}: no such function; there are: {', '.join(there) or 'none'}"
            )
        if not runtimes[name].startswith("python"):
            raise SettingError(
                f"debug is {wanted!r}, a function of {runtimes[name]}: debugpy debugs Python only"
            )
        return {name: component}
    listener = named.get("event_listener")
    shown = {function: name for name, function in named.items()}
    names = sorted(name for name, kind in runtimes.items() if kind.startswith("python") and name != listener)
    return {name: shown.get(name, name) for name in names}


def _components(resources: ResourceMap | None) -> dict[str, str]:
    """The name of each component that is a function -> the function's own name."""
    if resources is None:
        return {}
    return {LISTENER: function_name(resources.listener.function)} | resources.functions()


def assigned(names: Mapping[str, str], state_dir: Path, claim: Callable[[int], bool]) -> dict[str, Debugged]:
    """A port, and a directory for the code, for each function.

    Args:
        names: the functions, see `functions`.
        state_dir: where the harness writes in this project.
        claim: claims a port; false if it is taken.

    Raises:
        SettingError: there are not enough free ports.
    """
    ports = (port for port in range(FIRST_PORT, _LAST_PORT) if claim(port))
    found = {}
    for name, shown in names.items():
        port = next(ports, 0)
        if not port:
            raise SettingError(f"no port from {FIRST_PORT} to {_LAST_PORT} is free for a debugger")
        found[name] = Debugged(shown, port, str(folders.code(state_dir, port)))
    return found


class Announcer:
    """Tells the user each time that a function begins to wait.

    Args:
        folder: the session's directory.
        project: makes what knows the functions' sources.
        say: prints a line, from any thread.
    """

    def __init__(self, folder: Path, project: Callable[[], Project], say: Callable[[str], None]) -> None:
        self._folder = folder / "waiting"
        self._project = project
        self._say = say
        self._done = threading.Event()
        self._seen: set[Path] = set()
        self._thread = threading.Thread(target=self._run, name="event-harness-debug", daemon=True)

    def start(self) -> None:
        """Begin to look for functions that wait."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(_LOOK):
            for file in sorted(set(self._folder.glob("*.json")) - self._seen):
                try:
                    told = json.loads(file.read_text(encoding="utf-8"))
                except (OSError, ValueError):
                    continue  # not yet whole
                self._seen.add(file)
                self._say(line(told, self._project()))


def line(told: dict[str, Any], project: Project) -> str:
    """What the user is told about a function that waits."""
    code, place = Path(told["code"]), told["handler"]
    local = remote = None
    with contextlib.suppress(OSError):
        digest = hashlib.sha256((code / place).read_bytes()).hexdigest()
        local, remote = project.directory(place, digest, told["archive"]), code
        if local is None:  # the archive gives the file another name
            local, remote = project.file(place, digest, told["archive"]), code / place
    mapped = f"localRoot {local}, remoteRoot {remote}" if local else f"its code: {code}"
    return f"{told['name']} waits for a debugger on {LOOPBACK}:{told['port']}; {mapped}"
