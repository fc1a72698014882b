"""The local AWS emulator of a session: it boots while terraform initialises, and is watched to its end."""

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.ownership import PROCESS_MARK
from event_harness.aws.targets import Target
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import EmulatorGoneError
from event_harness.settings import Settings

_LOOK = 1.0  # seconds between two looks at it


class OwnEmulator:
    """The local AWS emulator of one session, if it needs one.

    Args:
        settings: the settings in force.
        open_: ends it.
        warn: prints a line from another thread, at any time.
    """

    def __init__(self, settings: Settings, open_: ExitStack, warn: Callable[[str], None]) -> None:
        self._settings = settings
        self._open = open_
        self._warn = warn
        self._starting: LocalEmulator | None = None
        self._running: LocalEmulator | None = None
        self._stopping = threading.Event()

    def start(self, record: DeploymentRecord) -> Target:
        """Start it for a deployment. It is the target, and answers after `answering`.

        Raises:
            EmulatorError: it can't be started.
        """
        record.own_emulator = True
        record.save()
        aws = LocalEmulator.start(
            record.directory / "aws",
            auth=self._settings["iam"] == "on",
            lasting=self._settings["keep"],
            environ={PROCESS_MARK: record.deployment_id},
            log=record.logs / "emulator.log",  # an error may name it, and the directory is deleted
            wait=False,
        )
        self._starting = aws
        if not self._settings["keep"]:
            self._open.callback(aws.stop)
        return self._target(aws)

    def answering(self) -> Target | None:
        """Wait until it answers; return it as the target, or None if there is nothing to wait for.

        Raises:
            EmulatorError: it did not start.
        """
        if self._starting is None:
            return None
        aws, self._starting = self._starting, None
        aws.wait_until_ready()
        self._running = aws
        self._open.callback(self._stopping.set)
        threading.Thread(target=self._watch, name="event-harness-emulator", daemon=True).start()
        return self._target(aws)

    def check(self) -> None:
        """Raise an error if it has ended.

        Raises:
            EmulatorGoneError: it has; everything that was deployed to it has gone with it.
        """
        if self._running and not self._running.alive():
            raise EmulatorGoneError(
                f"the local AWS emulator (process {self._running.pid}) has ended, and everything that was "
                f"deployed to it is gone (its log: {self._running.log})"
            )

    def _target(self, aws: LocalEmulator) -> Target:
        return aws.target(self._settings["region"] or ambient_region())

    def _watch(self) -> None:
        """Tell the user at once when it has ended: tests would only see refused connections."""
        while not self._stopping.wait(_LOOK):
            try:
                self.check()
            except EmulatorGoneError as error:
                if not self._stopping.is_set():
                    self._warn(str(error))
                return


def ambient_region() -> str | None:
    """The region of the environment, where Terraform's provider finds it if the configuration names none."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None
