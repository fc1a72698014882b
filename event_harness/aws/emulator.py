"""The local AWS emulator: MiniStack on loopback. It ends with the process that needs it."""

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

import psutil

from event_harness.aws import running
from event_harness.aws import supervisor as supervisor
from event_harness.aws.credentials import Credentials
from event_harness.aws.targets import NOWHERE, Target
from event_harness.errors import EmulatorError
from event_harness.machine import clock, interrupts, processes
from event_harness.machine.ports import LOOPBACK, free_port, holder, is_free, listens

_HEALTHY_WITHIN = 30.0  # seconds; it takes 0.3 on an idle machine
_STOPPED_WITHIN = 15.0
FRONT = "event_harness.aws.front"  # the module that serves MiniStack
_LEAST_FREE = 64 * 1024  # bytes
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

    @classmethod
    def start(
        cls,
        directory: Path,
        *,
        port: int | None = None,
        auth: bool = False,
        lasting: bool = False,
        credentials: Credentials | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> "LocalEmulator":
        """Start a local AWS emulator and wait until it answers.

        Unless it is `lasting`, it ends within two seconds after the process that started it.

        Args:
            directory: a directory for this emulator alone; made if it is missing.
            port: TCP port on 127.0.0.1; None for a free one.
            auth: enforce the policies of roles and users (its own credentials are those of root).
            lasting: outlive this process; end it with `LocalEmulator.end(directory)`.
            credentials: the credentials of its root user; None for random ones.
            environ: more variables for MiniStack and the functions; they win over the harness's own.

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
        supervisor.clear(directory)
        credentials = credentials or Credentials.fresh()
        for _ in range(1 if port is not None else _TRIES):
            chosen = port or free_port()
            variables = _environ(directory, chosen, auth, credentials) | dict(environ or {})
            aws = cls._launch(directory, chosen, credentials, variables, lasting)
            try:
                aws._wait_until_healthy()
            except _PortTakenError:
                aws.stop()
            except BaseException:
                aws.stop()
                raise
            else:
                return aws
        raise EmulatorError(f"port {aws.port} was just taken by {holder(aws.port)}: start again")

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
        lasting: bool,
    ) -> "LocalEmulator":
        for name in supervisor.FOLDERS:
            (directory / name).mkdir(parents=True, exist_ok=True)
        # -P: no module in the working directory or in this package's directory shadows an installed one.
        python = [sys.executable, "-P"]
        mode = "lasting" if lasting else "kept"
        with (directory / supervisor.LOG).open("ab") as log:
            process = subprocess.Popen(
                [*python, supervisor.__file__, directory, mode, *python, "-m", FRONT],
                env=environ,
                stdin=subprocess.DEVNULL if lasting else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        aws = cls(directory, port, 0, process, credentials)
        try:
            with _readable(process) as stdout:
                announced = stdout.readline().strip()
            if not announced:
                raise EmulatorError(
                    f"the supervisor of the local AWS emulator did not start: {aws._last_words()}"
                )
        except BaseException:
            aws.stop()
            raise
        aws.pid = int(announced)
        if lasting:  # it is not ours to wait for, neither here nor when this object is deleted
            aws._supervisor = psutil.Process(process.pid)
            process.returncode = 0
        return aws

    def _wait_until_healthy(self) -> None:
        deadline = clock.monotonic() + _HEALTHY_WITHIN
        while clock.monotonic() < deadline:
            # Both: if the port is taken, another emulator answers while ours has not yet given up.
            if self._answers() and listens(self.pid, self.port):
                return
            if not self._supervisor_alive():
                if not is_free(self.port):
                    raise _PortTakenError
                raise EmulatorError(f"MiniStack ended while starting: {self._last_words()}")
            interrupts.pause(0.02)
        raise EmulatorError(f"MiniStack did not answer within {_HEALTHY_WITHIN:.0f} s: {self._last_words()}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        log = self.log
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        if not said:
            full = shutil.disk_usage(self.directory).free < _LEAST_FREE
            return f"the disk of {self.directory} is full; free space on it" if full else "it logged nothing"
        return f"{said[-1]} (the whole log: {log})"

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
        return self.directory / supervisor.LOG

    def target(self, region: str | None = None) -> Target:
        """This emulator as a target: how clients and terraform reach it."""
        return Target.local(self.endpoint_url, region, credentials=self.credentials, emulator_log=self.log)

    @property
    def lasting(self) -> bool:
        """Whether it outlives the process that started it."""
        if isinstance(self._supervisor, psutil.Process):
            try:
                return "lasting" in self._supervisor.cmdline()
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
        self.end(self.directory)  # also if the supervisor was killed

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


def _readable(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    if process.stdout is None:  # can't be: we asked for a pipe
        raise EmulatorError("the supervisor of the local AWS emulator has no output")
    return process.stdout


def _environ(directory: Path, port: int, auth: bool, credentials: Credentials) -> dict[str, str]:
    """The whole environment of MiniStack and its functions. Nothing of the user's settings is in it."""
    temporary, state = (str(directory / name) for name in supervisor.FOLDERS)
    return {
        supervisor.MARK: str(directory),
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": temporary,
        "TMPDIR": temporary,
        "STATE_DIR": state,
        "S3_DATA_DIR": f"{state}/s3",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # else it opens an MQTT port on all interfaces
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AUTH": "true" if auth else "false",
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",  # not the user's Docker
        "POWERTOOLS_TRACE_DISABLED": "1",  # there is no X-Ray daemon
        "AWS_EC2_METADATA_DISABLED": "true",
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), f"{LOOPBACK},localhost"),
    }
