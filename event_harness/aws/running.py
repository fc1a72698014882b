"""Finds the running local AWS emulators of this user by the environment of their processes.

Only this user and root can read that environment, so an emulator's credentials need to be in no file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from event_harness.aws import supervisor as supervisor
from event_harness.aws.credentials import Credentials
from event_harness.machine.ports import listens


@dataclass(frozen=True)
class Running:
    """A local AWS emulator that runs on this machine.

    Attributes:
        pid: process id of MiniStack.
        directory: its directory at the time when it started; it may have been moved or deleted since.
        port: TCP port on 127.0.0.1.
        credentials: the credentials that it was started with.
    """

    pid: int
    directory: Path
    port: int
    credentials: Credentials

    @property
    def log(self) -> Path:
        """Its log."""
        return (self.directory / supervisor.LOG).resolve()


def at_port(port: int) -> Running | None:
    """Our emulator that serves a TCP port of this machine, or None."""
    return next((found for found in _marked() if found.port == port and listens(found.pid, port)), None)


def below(directory: Path) -> list[Running]:
    """Our emulators that were started in a directory or in one below it, whether it still exists or not."""
    directory = directory.absolute()
    return [
        found
        for found in _marked()
        if found.directory.is_relative_to(directory) and listens(found.pid, found.port)
    ]


def _marked() -> Iterator[Running]:
    """Every process that carries the mark: emulators, and also their supervisors and Lambda workers."""
    for process in psutil.process_iter():
        try:
            environ = process.environ()
            yield Running(
                process.pid,
                Path(environ[supervisor.MARK]),
                int(environ["GATEWAY_PORT"]),
                Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]),
            )
        except (psutil.Error, OSError, KeyError, ValueError):
            continue  # another user's process, one that has just ended, or one without the mark
