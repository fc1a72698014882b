"""One deployment for several processes: the controller of pytest-xdist lends it to its workers.

A worker asks by creating the file `wanted` in a folder that both know; the controller deploys on the first
request and answers with `system.json` or `failed.txt`. The workers hold nothing that their death could
take along, and where no worker asks, nothing is deployed.
"""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psutil

from event_harness.errors import DeploymentError, HarnessError
from event_harness.machine import folders, processes
from event_harness.machine.interrupts import shielded
from event_harness.machine.progress import harmless

if TYPE_CHECKING:  # a process that never asks for the system loads no boto3
    from event_harness.system.deployed_system import DeployedSystem

_WANTED, _SYSTEM, _FAILED = "wanted", "system.json", "failed.txt"


class Lendable(Protocol):
    """What holds the system under test of a process: a session of its own, or what another has lent."""

    def system(self) -> "DeployedSystem":
        """The system, made ready when first asked for."""

    def close(self) -> None:
        """Take it down, if that is ours to do."""


class Deploying(Lendable, Protocol):
    """A session of its own, which another thread may interrupt."""

    def interrupt(self) -> None:
        """End an apply under way."""


def lending_folder(state_dir: Path) -> Path:
    """Where this process lends; the name tells whose it is, so that a dead one's can be told and deleted."""
    own = psutil.Process()
    return state_dir / "lent" / f"{own.pid}-{processes.started_at(own)}"


def forget_dead(state_dir: Path) -> None:
    """Delete the folders of processes that died while they lent."""
    lent = state_dir / "lent"
    for folder in lent.glob("*"):
        if not _lends(folder):
            shutil.rmtree(folder, ignore_errors=True)
    folders.delete_if_empty(lent)


def _lends(folder: Path) -> bool:
    """Whether the folder is there and the process that lends in it is alive."""
    pid, _, started = folder.name.partition("-")
    try:
        return processes.still_lives(int(pid), float(started)) and folder.is_dir()
    except ValueError:
        return False


class Lender:
    """The controller's side.

    Args:
        session: makes the session that deploys; called at the first request.
        say: prints a line of progress.
        folder: where requests and answers lie.
    """

    def __init__(
        self, session: Callable[[], Deploying], folder: Path, *, say: Callable[[str], None] | None = None
    ) -> None:
        self._make_session = session
        self._session: Deploying | None = None
        self._say = harmless(say)
        self.folder = folder
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="event-harness-lender", daemon=True)

    def open(self) -> Path:
        """Begin to serve (once) and return the folder."""
        if not self.folder.exists():
            folders.make(self.folder)  # outputs may be sensitive
            self._thread.start()
        return self.folder

    def release(self) -> None:
        """Nobody borrows any more: an apply under way is interrupted. Doesn't wait for its end."""
        self._closing.set()
        if self._session:
            self._session.interrupt()

    def close(self) -> None:
        """End; what was lent is taken down by the session."""
        self.release()
        if self._thread.is_alive():
            with shielded(self._say, "ending the deployment"):
                self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)
        folders.delete_if_empty(self.folder.parent)

    def _serve(self) -> None:
        while not self._closing.wait(0.1):
            if (self.folder / _WANTED).exists():
                self._answer()
                return

    def _answer(self) -> None:
        try:
            self._session = self._make_session()
            name, text = _SYSTEM, self._session.system().to_json()
        except HarnessError as error:
            name, text = _FAILED, str(error)
        except BaseException as error:
            name, text = _FAILED, f"{type(error).__name__}: {error}"
        partial = self.folder / (name + ".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(self.folder / name)


class Borrowed:
    """A worker's side; stands where a session stands in a process of its own.

    Args:
        folder: where requests and answers lie.
        sleep: waits between looks.
    """

    def __init__(self, folder: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.folder = folder
        self.sleep = sleep

    def system(self) -> "DeployedSystem":
        """The lent system.

        Raises:
            DeploymentError: the controller could not deploy it, or is gone.
        """
        from event_harness.system.deployed_system import DeployedSystem

        while _lends(self.folder):
            if (self.folder / _SYSTEM).exists():
                return DeployedSystem.from_json((self.folder / _SYSTEM).read_text(encoding="utf-8"))
            if (self.folder / _FAILED).exists():
                raise DeploymentError((self.folder / _FAILED).read_text(encoding="utf-8"))
            (self.folder / _WANTED).touch()
            self.sleep(0.1)
        raise DeploymentError("the process that deploys for all workers has ended; run pytest again")

    def close(self) -> None:
        """Nothing: what is borrowed stays."""
