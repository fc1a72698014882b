"""One deployment for several processes: the controller of pytest-xdist lends it to its workers.

A worker asks for the deployment: it creates the file `wanted` in a folder that both know. The controller
deploys on the first request and answers with `system.json` or `failed.txt`. Workers own nothing, so a killed
worker takes nothing along. If no worker asks, nothing is deployed.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psutil

from event_harness.errors import DeploymentError, HarnessError
from event_harness.machine import folders, interrupts, processes
from event_harness.machine.interrupts import shielded
from event_harness.machine.progress import harmless

if TYPE_CHECKING:  # a process that never asks for the system doesn't load boto3
    from event_harness.system.deployed_system import DeployedSystem

_LOOK = 0.1  # seconds
_WANTED, _SYSTEM, _FAILED = "wanted", "system.json", "failed.txt"


class Lendable(Protocol):
    """Gives a process its system under test: its own session, or a borrowed system."""

    def system(self) -> "DeployedSystem":
        """The system, deployed at the first call."""

    def close(self) -> None:
        """Destroy the system, if this process owns it."""


class Deploying(Lendable, Protocol):
    """A session that another thread may interrupt."""

    def interrupt(self) -> None:
        """Stop a running apply."""


def lending_folder(state_dir: Path) -> Path:
    """The folder in which this process lends. Its name identifies the process."""
    own = psutil.Process()
    return state_dir / "lent" / f"{own.pid}-{processes.started_at(own)}"


def forget_dead(state_dir: Path) -> None:
    """Delete the lending folders of dead processes."""
    lent = state_dir / "lent"
    for folder in lent.glob("*"):
        if not _lends(folder):
            shutil.rmtree(folder, ignore_errors=True)
    folders.delete_if_empty(lent)


def _lends(folder: Path) -> bool:
    """Whether the folder exists and its lending process is alive."""
    pid, _, started = folder.name.partition("-")
    try:
        return processes.still_lives(int(pid), float(started)) and folder.is_dir()
    except ValueError:
        return False


class Lender:
    """The controller's side.

    Args:
        session: creates the session that deploys; called at the first request.
        folder: the folder of requests and answers.
        say: prints a line of progress.
    """

    def __init__(
        self, session: Callable[[], Deploying], folder: Path, *, say: Callable[[str], None] | None = None
    ) -> None:
        self._make_session = session
        self._session: Deploying | None = None
        self._say = harmless(say)
        self.folder = folder
        self._process = os.getpid()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="event-harness-lender", daemon=True)

    def open(self) -> Path:
        """Start to serve, at the first call, and return the folder.

        Raises:
            SettingError: it can't be made.
        """
        if not self.folder.exists():
            try:
                folders.make(self.folder)  # outputs may be sensitive
            except OSError as error:
                raise folders.cannot_record(self.folder.parent.parent, error) from error
            self._thread.start()
        return self.folder

    def release(self) -> None:
        """No worker borrows any more: interrupt a running apply. Doesn't wait for its end."""
        self._closing.set()
        if self._session:
            self._session.interrupt()

    def close(self) -> None:
        """Stop to serve and delete the folder. The session destroys the deployment."""
        if os.getpid() != self._process:
            return  # a forked child: the folder is its parent's
        self.release()
        with shielded(self._say, "ending the deployment"):
            while self._thread.is_alive():
                self._thread.join(_LOOK)
                interrupts.check()
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
    """A worker's side. It takes the place of a session.

    Args:
        folder: the folder of requests and answers.
        sleep: waits between looks.
    """

    def __init__(self, folder: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.folder = folder
        self.sleep = sleep

    def system(self) -> "DeployedSystem":
        """The borrowed system.

        Raises:
            DeploymentError: the controller could not deploy, or is gone.
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
        """Do nothing: the controller owns the deployment."""
