"""What one test session looks into, from the moment when its system is there until its end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from event_harness.aws.instruments import FILE, Instruments, Owner
from event_harness.errors import ResourceMapError, SettingError
from event_harness.inspecting import debugging, measuring
from event_harness.inspecting import folder as folders
from event_harness.inspecting.code_origin import Project, top_of
from event_harness.machine.port_claims import PortClaims

if TYPE_CHECKING:  # a session without a system doesn't load boto3
    from event_harness.system.deployed_system import DeployedSystem

_ARCHIVES = "archives.json"


class Inspection:
    """The debugger and the coverage of one test session, which may have several processes.

    Args:
        state_dir: where the harness writes in this project.
        project: pytest's rootdir.
        owner: the session's main process.
        debug: the function to debug, `all`, or None.
        cov: pytest-cov's plugin, or None.
        say: prints a line, from any thread.
    """

    def __init__(
        self,
        state_dir: Path,
        project: Path,
        owner: Owner,
        *,
        debug: str | None,
        cov: Any,
        say: Callable[[str], None],
    ) -> None:
        self.state_dir = state_dir
        self.owner = owner
        self.debug = debug
        self.folder = folders.of(state_dir, owner)
        self._top = top_of(project.resolve())
        self._cov = cov
        self._say = say
        self._written: Path | None = None
        self._ports = PortClaims()
        self._announcer: debugging.Announcer | None = None
        self.coverage_is_partial = False  # pytest-cov neither combines nor reports it

    def announce(self) -> None:
        """Tell the user about each function that waits for a debugger. For the session's main process."""
        self._announcer = debugging.Announcer(self.folder, self._project, self._say)
        self._announcer.start()

    def begin(self, system: "DeployedSystem", archives: dict[str, Path]) -> None:
        """Let the functions of a system wait for a debugger, or measure them.

        Args:
            system: the system.
            archives: what its archives were made from, see `terraform.archives`.

        Raises:
            SettingError: there is no such function, or the emulator isn't one of ours.
            EmulatorError: another session looks into the same emulator.
        """
        controller = measuring.controller(self._cov)
        if not self.debug and controller is None:
            return
        emulator = _emulator(system)
        if emulator is None:
            self._refuse(f"the emulator at {system.target.endpoint_url} was not started by event-harness")
            return
        folders.make(self.state_dir, self.owner)
        named = {digest: str(directory) for digest, directory in archives.items()}
        (self.folder / _ARCHIVES).write_text(json.dumps(named), encoding="utf-8")
        coverage, debugged = "", {}
        if controller is not None:
            measuring.silence(controller.cov)
            coverage = str(measuring.configuration(controller.cov, self.folder))
        if self.debug:
            names = debugging.functions(self.debug, _resources(system), system.target)
            debugged = debugging.assigned(names, self.state_dir, self._ports.claim)
            for one in debugged.values():
                (self.folder / "attached" / str(one.port)).touch()
            ports = ", ".join(f"{one.name} on {one.port}" for one in debugged.values())
            self._say(f"will wait for a debugger when invoked: {ports or 'no function, since there is none'}")
        instruments = Instruments(self.owner, str(self.folder), coverage, debugged)
        instruments.write(emulator)
        self._written = emulator / FILE

    def suspended(self) -> bool:
        """Whether deadlines stand still: a debugger is attached to a function, or awaited by one."""
        return Instruments(self.owner, str(self.folder)).suspended()

    def silence_coverage(self) -> None:
        """Let pytest-cov in this process not warn that its tests run no source: functions run them."""
        if (controller := measuring.controller(self._cov)) is not None:
            measuring.silence(controller.cov)

    def deliver_coverage(self) -> None:
        """Write what the functions have run where pytest-cov combines it. For the session's main process."""
        controller = measuring.controller(self._cov)
        if controller is None or not (self.folder / _ARCHIVES).exists():
            return
        if running := measuring.wait_for_invocations(self.folder):
            self._say(f"coverage lacks what {running} invocations run that have not ended yet")
        measured = measuring.Measured(self.folder, self._project())
        measured.write(measuring.wanted_by(controller.cov), measuring.data_file(controller))
        if measured.changed:
            names = ", ".join(sorted(measured.changed))
            self._say(f"coverage lacks files that have changed since they were deployed: {names}")

    def close(self) -> None:
        """Delete what is left of the session. For its main process."""
        if self._announcer:
            self._announcer.stop()
        if self._written:
            self._written.unlink(missing_ok=True)
        controller = measuring.controller(self._cov)
        if controller is not None and self.coverage_is_partial and (self.folder / _ARCHIVES).exists():
            measuring.forget(controller)
        folders.delete(self.state_dir, self.owner)
        self._ports.release()

    def _refuse(self, why: str) -> None:
        if self.debug:
            raise SettingError(f"--harness-debug debugs functions of a local AWS emulator of ours; {why}")
        self._say(f"--cov can't see what functions run: {why}")

    def _project(self) -> Project:
        try:
            named = json.loads((self.folder / _ARCHIVES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            named = {}
        return Project(self._top, {digest: Path(directory) for digest, directory in named.items()})


def _emulator(system: "DeployedSystem") -> Path | None:
    """The directory of the emulator that the system runs on, if the harness has started it."""
    from event_harness.aws import running

    port = urlsplit(system.target.endpoint_url or "").port
    found = running.at_port(port) if port else None
    return found.directory if found else None


def _resources(system: "DeployedSystem") -> Any:
    try:
        return system.resources
    except ResourceMapError:
        return None
