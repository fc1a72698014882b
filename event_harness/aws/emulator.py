"""The local AWS emulator: MiniStack on loopback. It ends with the process that needs it."""

import contextlib
import importlib.util
import json
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType

import psutil

from event_harness.aws import running
from event_harness.aws import supervisor as supervisor
from event_harness.aws.credentials import Credentials
from event_harness.aws.launching import (
    announced_pid,
    answers,
    environment,
    last_words,
    start_supervisor,
    write_log_to,
)
from event_harness.aws.targets import Target
from event_harness.errors import EmulatorError
from event_harness.machine import clock, interrupts, processes
from event_harness.machine.boundary import explained
from event_harness.machine.ports import LOOPBACK, free_port, holder, is_free, listens

_HEALTHY_WITHIN = 120.0  # seconds; it takes 0.3 on an idle machine, and one that fails ends at once
_STOPPED_WITHIN = 30.0
_TRIES = 5  # ports to try; another process may take a free port before MiniStack does


class _PortTakenError(Exception):
    """Another process took the port first."""


class LocalEmulator:
    """A running MiniStack. Start it with `start`; end it with `stop`, or use it as a context manager.

    Attributes:
        directory: holds its folders while it runs, and its log, which stays.
        port: TCP port on 127.0.0.1.
        pid: process id of MiniStack.
        credentials: the credentials of its root user: the only ones that it accepts at first.
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        pid: int,
        supervisor_process: "subprocess.Popen[bytes] | psutil.Process",
        credentials: Credentials,
    ) -> None:
        self.directory = directory
        self.port = port
        self.pid = pid
        self.credentials = credentials
        self._supervisor = supervisor_process
        self._again: Callable[[], LocalEmulator] | None = None

    @classmethod
    @explained()
    def start(
        cls,
        directory: Path,
        *,
        port: int | None = None,
        auth: bool = False,
        lasting: bool = False,
        once_told: bool = False,
        elsewhere: Iterable[Path] = (),
        credentials: Credentials | None = None,
        environ: Mapping[str, str] | None = None,
        log: Path | None = None,
        wait: bool = True,
    ) -> "LocalEmulator":
        """Start a local AWS emulator and wait until it answers.

        Unless it is `lasting`, it ends within two seconds after the process that started it.

        Args:
            directory: a directory for this emulator alone; made if it is missing.
            port: TCP port on 127.0.0.1; None for a free one.
            auth: enforce the policies of roles and users (its own credentials are those of root).
            lasting: outlive this process; end it with `LocalEmulator.end(directory)`.
            once_told: with `lasting`: outlive it only from the call of `outlive` on.
            elsewhere: files that are of no use without it. They are deleted when it ends, whatever ends it.
            credentials: the credentials of its root user; None for random ones.
            environ: more variables for MiniStack and the functions; they win over the harness's own.
            log: where its log is written, if not in the directory.
            wait: wait until it answers; else call `wait_until_ready` before it is used.

        Raises:
            EmulatorError: MiniStack is not installed, the port is taken, or it did not start.
        """
        if importlib.util.find_spec("ministack") is None:
            raise EmulatorError(
                "MiniStack, the local AWS emulator, is not installed: pip install 'event-harness[local]'"
            )
        directory = directory.absolute()
        if there := supervisor.processes_of(directory):
            raise EmulatorError(f"a local AWS emulator runs in {directory} already (process {there[0].pid})")
        if port is not None and not is_free(port):
            raise EmulatorError(
                f"port {port} is taken by {holder(port)}: choose another port, or none for a free one"
            )
        if any((directory / name).exists() for name in (*supervisor.FOLDERS, supervisor.RECORD)):
            supervisor.clear(directory)  # another one was here, and its supervisor was killed
        if log:
            write_log_to(log, directory)
        credentials = credentials or Credentials.fresh()
        mode = supervisor.KEPT
        if lasting:
            mode = supervisor.LASTING_ONCE_TOLD if once_told else supervisor.LASTING

        def launch() -> LocalEmulator:
            """Start it at the port, or at another free one each time."""
            chosen = port or free_port()
            variables = environment(directory, chosen, auth, credentials) | dict(environ or {})
            return cls._launch(directory, chosen, credentials, variables, mode, elsewhere)

        aws = launch()
        aws._again = launch if port is None else None
        if wait:
            aws.wait_until_ready()
        return aws

    def wait_until_ready(self) -> None:
        """Wait until it answers. If another process has taken its port first, it gets another one.

        If it does not start, it is ended.

        Raises:
            EmulatorError: it did not start, or its port is taken.
        """
        try:
            for tries_left in reversed(range(_TRIES)):
                try:
                    return self._wait_until_healthy()
                except _PortTakenError:
                    self.stop()
                    if not (tries_left and self._again):
                        break
                    new = self._again()
                    self.port, self.pid, self._supervisor = new.port, new.pid, new._supervisor
        except BaseException:
            self.stop()
            raise
        raise EmulatorError(f"port {self.port} was just taken by {holder(self.port)}: start again")

    @classmethod
    def find(cls, directory: Path) -> "LocalEmulator | None":
        """The local AWS emulator that runs in a directory, or None. Any process may have started it."""
        directory = directory.absolute()
        try:
            record = json.loads((directory / supervisor.RECORD).read_text(encoding="utf-8"))
            process = psutil.Process(record["supervisor"])
            environ = process.environ()
            credentials = Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"])
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return None
        if not supervisor.is_of(process, directory):
            return None
        aws = cls(directory, record["port"], record["pid"], process, credentials)
        return aws if aws.alive() else None

    @classmethod
    def end(cls, directory: Path) -> None:
        """End the local AWS emulator of a directory, if there is one, and delete its folders.

        Any process may have started it. The directory need not exist any more.

        Raises:
            EmulatorError: a process could not be ended.
        """
        if left := supervisor.clear(directory.absolute()):
            raise EmulatorError(
                f"processes of the local AWS emulator in {directory} can't be ended: "
                f"{', '.join(map(str, left))}; end them with: kill -9 {' '.join(map(str, left))}"
            )

    @classmethod
    def find_by_mark(cls, project: Path) -> list["LocalEmulator"]:
        """The emulators that were started in a project or below it, found by their processes alone.

        Finds them also if their directories have been deleted. Ends none: use `stop`.
        """
        found = []
        for one in running.below(project):
            marked = supervisor.processes_of(one.directory)
            guard = next((process for process in marked if _is_supervisor(process)), None)
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                process = guard or psutil.Process(one.pid)
                found.append(cls(one.directory, one.port, one.pid, process, one.credentials))
        return found

    @classmethod
    def _launch(
        cls,
        directory: Path,
        port: int,
        credentials: Credentials,
        environ: Mapping[str, str],
        mode: str,
        elsewhere: Iterable[Path],
    ) -> "LocalEmulator":
        process = start_supervisor(directory, environ, mode=mode, elsewhere=elsewhere)
        aws = cls(directory, port, 0, process, credentials)
        try:
            aws.pid = announced_pid(process, aws.log)
        except BaseException:
            aws.stop()
            raise
        if mode == supervisor.LASTING:
            aws._let_go(process)
        return aws

    def _let_go(self, process: "subprocess.Popen[bytes]") -> None:
        """Its supervisor is not ours to wait for, neither here nor when this object is deleted."""
        self._supervisor = psutil.Process(process.pid)
        process.returncode = 0

    def outlive(self) -> None:
        """From now on it outlives this process, if it was started as `once_told`.

        Raises:
            EmulatorError: it has ended.
        """
        process = self._supervisor
        if not isinstance(process, subprocess.Popen) or process.stdin is None:
            return
        try:
            with process.stdin as pipe:
                pipe.write(b"1")
        except OSError as error:
            raise EmulatorError(f"the local AWS emulator has ended: {last_words(self.log)}") from error
        self._let_go(process)

    def _wait_until_healthy(self) -> None:
        deadline = clock.monotonic() + _HEALTHY_WITHIN
        while clock.monotonic() < deadline:
            # Both: if the port is taken, another emulator answers while ours has not yet given up.
            if answers(self.port) and listens(self.pid, self.port):
                return
            if not self._supervisor_alive():
                if not is_free(self.port):
                    raise _PortTakenError
                raise EmulatorError(f"MiniStack ended while starting: {last_words(self.log)}")
            interrupts.pause(0.02)
        raise EmulatorError(
            f"MiniStack did not answer within {_HEALTHY_WITHIN:.0f} s: {last_words(self.log)}"
        )

    def _supervisor_alive(self) -> bool:
        if isinstance(self._supervisor, psutil.Process):
            return processes.lives(self._supervisor)
        return self._supervisor.poll() is None

    @property
    def endpoint_url(self) -> str:
        """Its address, by number: with a name, S3 clients would put the bucket into the host name."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """The log of MiniStack and its supervisor. It stays after `stop`.

        If a Lambda function can't start, its error is here: `Worker init failed: No module named …`.
        """
        return (self.directory / supervisor.LOG).resolve()

    def target(self, region: str | None = None) -> Target:
        """This emulator as a target: how clients and terraform reach it."""
        return Target.local(self.endpoint_url, region, credentials=self.credentials, emulator_log=self.log)

    @property
    def lasting(self) -> bool:
        """Whether it outlives the process that started it."""
        if isinstance(self._supervisor, psutil.Process):
            try:
                return not {supervisor.LASTING, supervisor.LASTING_ONCE_TOLD}.isdisjoint(
                    self._supervisor.cmdline()
                )
            except psutil.Error:
                return False  # it has just ended
        return False

    def alive(self) -> bool:
        """Whether it still runs and serves its port."""
        return self._supervisor_alive() and listens(self.pid, self.port)

    def stop(self) -> None:
        """End it with all Lambda workers and delete its folders. Its log stays. A second call does nothing.

        Raises:
            EmulatorError: a process could not be ended.
        """
        with contextlib.suppress(OSError, psutil.Error):
            self._supervisor.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired, psutil.Error):
            self._supervisor.wait(_STOPPED_WITHIN)
        if isinstance(self._supervisor, subprocess.Popen) and self._supervisor.stdin:
            self._supervisor.stdin.close()
        if not self._has_cleared_up():
            self.end(self.directory)  # also if the supervisor was killed

    def _has_cleared_up(self) -> bool:
        """Whether the supervisor has ended in order, and has found no process that it could not end."""
        ended = isinstance(self._supervisor, subprocess.Popen) and self._supervisor.returncode == 0
        return ended and not (self.directory / supervisor.RECORD).exists()

    def __enter__(self) -> "LocalEmulator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return supervisor.__file__ in process.cmdline()
    except psutil.Error:
        return False
