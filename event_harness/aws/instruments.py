"""How a test session looks into the functions of a local AWS emulator: a debugger, or coverage.

The session writes its wishes into a file of the emulator's directory. The emulator reads it at each
invocation. A file whose session has ended counts for nothing.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from event_harness.errors import EmulatorError
from event_harness.machine import processes

FILE = "instruments.json"
VARIABLE = "_EVENT_HARNESS_INSTRUMENTS"
"""Environment variable of a function's process: what that process does for the session, as JSON."""


@dataclass(frozen=True)
class Owner:
    """The process of a test session. Pid and start time together identify it."""

    pid: int
    started: float

    @classmethod
    def this_process(cls) -> "Owner":
        """The calling process."""
        own = psutil.Process()
        return cls(own.pid, processes.started_at(own))

    @classmethod
    def parse(cls, name: str) -> "Owner":
        """The owner whose name that is.

        Raises:
            ValueError: it is no owner's name.
        """
        pid, _, started = name.partition("-")
        return cls(int(pid), float(started))

    def __str__(self) -> str:
        return f"{self.pid}-{self.started}"

    def lives(self) -> bool:
        """Whether the session still runs."""
        return processes.still_lives(self.pid, self.started)


@dataclass(frozen=True)
class Debugged:
    """A function that waits for a debugger.

    Attributes:
        name: the name of its component, else its own.
        port: TCP port on 127.0.0.1 where it waits.
        code: the directory from which its code runs, always the same one for a port.
    """

    name: str
    port: int
    code: str


@dataclass(frozen=True)
class Instruments:
    """What a test session wants to see of the functions.

    Attributes:
        owner: the session's process.
        folder: the session's own directory, see `inspecting.folder`.
        coverage: the configuration file of coverage; empty for none.
        debug: the functions that wait for a debugger, by name.
    """

    owner: Owner
    folder: str
    coverage: str = ""
    debug: Mapping[str, Debugged] = field(default_factory=dict)

    @property
    def locks(self) -> Path:
        """Holds a file for each function; its process locks it while a debugger is attached or awaited."""
        return Path(self.folder) / "attached"

    def of(self, function: str) -> str:
        """What a process of that function does, as text for `VARIABLE`; empty for nothing."""
        wishes = asdict(self) | {"function": function, "debug": None}
        if function in self.debug:
            wishes |= {"debug": asdict(self.debug[function]), "coverage": ""}
        return json.dumps(wishes) if wishes["debug"] or wishes["coverage"] else ""

    def suspended(self) -> bool:
        """Whether a debugger is attached to any function, or awaited by one: then deadlines stand still."""
        return any(map(_is_locked, self.locks.glob("*")))

    def write(self, directory: Path) -> None:
        """Give the wishes to the emulator of that directory.

        Raises:
            EmulatorError: another living session has its own wishes there.
        """
        there = read(directory)
        if there and there.owner != self.owner:
            raise EmulatorError(
                f"process {there.owner.pid} debugs or measures the functions of this emulator already: "
                "let it end first"
            )
        partial = directory / f"{FILE}.{os.getpid()}"
        partial.write_text(json.dumps(asdict(self)), encoding="utf-8")
        partial.replace(directory / FILE)


def read(directory: Path) -> Instruments | None:
    """The wishes of the living session that looks into this emulator, or None."""
    try:
        raw = json.loads((directory / FILE).read_text(encoding="utf-8"))
        debug = {name: Debugged(**one) for name, one in raw.pop("debug").items()}
        wishes = Instruments(Owner(**raw.pop("owner")), debug=debug, **raw)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return wishes if wishes.owner.lives() else None


def _is_locked(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
