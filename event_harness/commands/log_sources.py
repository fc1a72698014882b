"""Tracebacks of a function's log with the paths of the project, without the frames of Lambda's runtime."""

import os
import re
from pathlib import Path

from event_harness.deployments import sync
from event_harness.deployments.record import DeploymentRecord
from event_harness.explaining.log_lines import Line
from event_harness.inspecting.code_origin import Project, top_of
from event_harness.system.resources import ResourceMap, function_name
from event_harness.terraform.function_code import Code

_FRAME = re.compile(r'^(?P<indent> *)File "(?P<file>[^"\n]+)", line \d+')
# Where functions run: on AWS, on the local AWS emulator, and there under a debugger.
_PLACE = re.compile(r"^/var/task/|/ministack-lambda-[^/]+/code/|/\.event-harness/debug/\d+/")
_RUNTIME = re.compile(r"^/var/(?:runtime|lang)/|/ministack-lambda-[^/]+/_worker\.py$|^<frozen ")


class LogSources:
    """Finds the files of the project that functions were made from.

    Args:
        project: The project's directory.
        resources: The deployed system.
        record: The record of its deployment; None if it has none.
    """

    def __init__(self, project: Path, resources: ResourceMap, record: DeploymentRecord | None) -> None:
        known = sync.recorded(record) if record else None
        by_function = {
            name: code for code in (known.codes if known else []) for name in code.functions.values()
        }
        self._codes = {
            one.name: by_function[function_name(str(one.function))]
            for one in resources.components
            if one.type == "lambda" and function_name(str(one.function)) in by_function
        }
        self._project = Project(top_of(project.resolve()))
        self._found: dict[tuple[str, str], str] = {}
        self._left_out: dict[tuple[str, str | None], int] = {}  # function, request -> indent of a frame

    def told(self, component: str, record: Line) -> list[str]:
        """The lines of a record with the project's paths in them, without the frames of Lambda's runtime.

        Args:
            component: The function.
            record: A record of its log, in their order. A traceback may be several.
        """
        lines = []
        for line in record.whole.split("\n"):
            key, frame = (component, record.request_id), _FRAME.match(line)
            indent = len(line) - len(line.lstrip())
            if frame and _RUNTIME.search(frame["file"]):
                self._left_out[key] = indent
            elif frame or indent <= self._left_out.get(key, -1) or key not in self._left_out:
                self._left_out.pop(key, None)
                lines.append(self._line(component, line, frame))
        return lines

    def _line(self, component: str, line: str, frame: re.Match[str] | None) -> str:
        return line.replace(frame["file"], self._path(component, frame["file"]), 1) if frame else line

    def _path(self, component: str, file: str) -> str:
        if (component, file) not in self._found:
            place = _PLACE.search(file)
            source = self._source(component, file[place.end() :]) if place else None
            self._found[component, file] = _from_here(source) if source else file
        return self._found[component, file]

    def _source(self, component: str, place: str) -> Path | None:
        code = self._codes.get(component)
        found = _of_code(code, place) if code else None
        return found or self._project.only(place)


def _of_code(code: Code, place: str) -> Path | None:
    """The file of the project that an archive holds at a place."""
    for block in code.arguments.get("source") or ():
        if block["filename"] == place:
            return Path(block["file"])
    if directory := code.arguments.get("source_dir"):
        path = Path(directory, place)
        return path.resolve() if path.is_file() else None
    file = code.arguments.get("source_file")
    return Path(file) if file and Path(file).name == place else None


def _from_here(path: Path) -> str:
    """A path relative to the current directory, if it is below that."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
