"""`pytest --cov`: what functions run on the emulator counts beside what the tests run.

Each function's process writes data of its own. At the end, before pytest-cov combines the data of all
processes, the functions' lines are written beside them, under the names of the project's files.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from event_harness.inspecting.code_origin import Project
from event_harness.machine import clock, interrupts

_ENDED_WITHIN = 10.0  # seconds for invocations that still run when the tests have ended
_LOOK = 0.05
# Settings of the project's coverage that decide what a process records.
_RECORDED = ("concurrency", "core", "patch")


def controller(plugin: Any) -> Any:
    """pytest-cov's controller, if its plugin (named `_cov`) measures in this session."""
    return None if plugin is None or getattr(plugin, "_disabled", False) else plugin.cov_controller


def forget(controller: Any) -> None:
    """Delete what pytest-xdist's workers have written in a session that was interrupted.

    pytest-cov leaves these files behind, and deletes them when the next session starts.
    """
    from coverage import CoverageData

    if not controller.cov_append:
        CoverageData(basename=str(data_file(controller))).erase(parallel=True)


def data_file(controller: Any) -> Path:
    """The project's data file."""
    return Path(controller.topdir) / str(controller.cov.get_option("run:data_file"))


def configuration(measured: Any, folder: Path) -> Path:
    """Write the configuration for coverage in the functions' processes.

    Args:
        measured: the project's own `coverage.Coverage`.
        folder: the session's directory.
    """
    path = folder / "coverage" / "coverage.ini"
    lines = [
        "[run]",
        f"branch = {bool(measured.get_option('run:branch'))}",
        f"data_file = {_escaped(folder / 'coverage' / 'data')}",
        "parallel = true",
        "sigterm = true",  # a worker that times out is ended by SIGTERM
        "omit = */_worker.py",
        "disable_warnings = no-data-collected, module-not-measured, couldnt-parse, no-ctracer, no-sysmon",
    ]
    recorded = {name: _option(measured, f"run:{name}") for name in _RECORDED}
    lines += [
        f"{name} = {value if isinstance(value, str) else ', '.join(value)}"
        for name, value in recorded.items()
        if value
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _option(measured: Any, name: str) -> Any:
    try:
        return measured.get_option(name)
    except Exception:  # this release of coverage has no such option
        return None


def _escaped(path: Path) -> str:
    return str(path).replace("$", "$$")


def silence(measured: Any) -> None:
    """Let coverage not warn of sources that no test imports: functions run them."""
    for name in ("_warn_no_data", "_warn_unimported_source"):
        if hasattr(measured, name):
            setattr(measured, name, False)


def wait_for_invocations(folder: Path) -> int:
    """Wait until no invocation runs; return the number of those that still do."""
    deadline = clock.monotonic() + _ENDED_WITHIN
    while (running := sum(_runs(mark) for mark in (folder / "coverage").glob("*.running"))) and (
        clock.monotonic() < deadline
    ):
        interrupts.pause(_LOOK)
    return running


def _runs(mark: Path) -> bool:
    return psutil.pid_exists(int(mark.stem))


class Measured:
    """What the functions' processes have measured.

    Args:
        folder: the session's directory.
        project: knows the functions' sources.
    """

    def __init__(self, folder: Path, project: Project) -> None:
        self._folder = folder / "coverage"
        self._project = project
        self.changed: set[str] = set()

    def write(self, wanted: Callable[[Path], bool], data_file: Path) -> None:
        """Write the lines that ran, by the project's files, where pytest-cov will find and combine them.

        Args:
            wanted: whether the project's own settings (source, include, omit) let a file be measured.
            data_file: the project's data file.
        """
        from coverage import CoverageData

        known = self._known()
        files = [path for path in self._folder.glob("data.*") if not path.name.endswith("-journal")]
        for number, path in enumerate(sorted(files)):
            read = CoverageData(basename=str(path))
            read.read()
            lines: dict[str, Any] = {}
            for file in read.measured_files():
                source = self._source(file, known)
                if source and wanted(source):
                    ran = read.arcs(file) if read.has_arcs() else read.lines(file)
                    lines.setdefault(str(source), set()).update(ran or ())
            if not lines:
                continue
            suffix = f"functions.{os.getpid()}.{number}"
            written = CoverageData(basename=str(data_file), suffix=suffix)
            (written.add_arcs if read.has_arcs() else written.add_lines)(lines)
            written.write()

    def _known(self) -> dict[str, tuple[str, str, str]]:
        """Place, hash and archive of each file that a process could run, by its path there."""
        return dict(_each(self._folder))

    def _source(self, file: str, known: dict[str, tuple[str, str, str]]) -> Path | None:
        if file not in known:
            return None
        place, digest, archive = known[file]
        if found := self._project.file(place, digest, archive):
            return found.resolve()  # as coverage names what a link leads to
        if self._project.changed(place, digest, archive):
            self.changed.add(place)
        return None


def _each(folder: Path) -> Iterator[tuple[str, tuple[str, str, str]]]:
    for file in folder.glob("*.json"):
        told = json.loads(file.read_text(encoding="utf-8"))
        for path, one in told["files"].items():
            yield path, (one["place"], one["sha256"], told["code_sha256"])


def wanted_by(measured: Any) -> Callable[[Path], bool]:
    """Whether the project's own coverage would measure a file, by its source, include and omit."""
    rules = measured._inorout
    return lambda path: rules.check_include_omit_etc(str(path), None) is None
