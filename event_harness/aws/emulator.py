"""The local AWS emulator: MiniStack, on loopback, with a life that can't outlast its purpose."""

import contextlib
import http.client
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

import psutil

from event_harness.aws import supervisor as supervisor
from event_harness.aws.targets import NOWHERE
from event_harness.errors import EmulatorError
from event_harness.machine import processes
from event_harness.machine.ports import LOOPBACK, free_port, holder, is_free, listens

_HEALTHY_WITHIN = 30.0  # seconds; it takes 0.3 on an idle machine
_STOPPED_WITHIN = 15.0
_TRIES = 5  # ports to try, when another process takes the free one before MiniStack does


class _PortTakenError(Exception):
    """Another process was faster."""


class LocalEmulator:
    """A running MiniStack. Make it with `start`, end it with `stop` or as a context manager.

    Attributes:
        directory: its folders while it runs, and its log, which stays.
        port: TCP port on 127.0.0.1.
        pid: process id of MiniStack.
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        pid: int,
        supervisor_process: "subprocess.Popen[bytes] | psutil.Process",
    ) -> None:
        self.directory = directory
        self.port = port
        self.pid = pid
        self._supervisor = supervisor_process

    @classmethod
    def start(
        cls,
        directory: Path,
        *,
        port: int | None = None,
        auth: bool = False,
        lasting: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> "LocalEmulator":
        """Start a local AWS emulator and wait until it answers.

        Unless `lasting`, it ends within two seconds of the process that started it, however that one ends.

        Args:
            directory: a directory of its own, made if missing.
            port: TCP port on 127.0.0.1; None for a free one.
            auth: enforce the policies of the Lambda roles (the key `test` is root and may do all).
            lasting: survive this process; end it with `LocalEmulator.end(directory)`.
            environ: further environment of MiniStack and of the functions, over the harness's own.

        Raises:
            EmulatorError: MiniStack is not installed, the port is taken, or it did not start.
        """
        if importlib.util.find_spec("ministack") is None:
            raise EmulatorError(
                "MiniStack, the local AWS emulator, is not installed: pip install 'event-harness[local]'"
            )
        directory = directory.absolute()
        if running := supervisor.processes_of(directory):
            raise EmulatorError(f"{directory} has a local AWS emulator already (process {running[0].pid})")
        if port is not None and not is_free(port):
            raise EmulatorError(
                f"port {port} is taken by {holder(port)}: choose another, or none for a free one"
            )
        supervisor.clear(directory)
        for _ in range(1 if port is not None else _TRIES):
            aws = cls._launch(directory, port or free_port(), auth, lasting, environ or {})
            try:
                aws._wait_until_healthy()
            except _PortTakenError:
                aws.stop()
            except BaseException:
                aws.stop()
                raise
            else:
                return aws
        raise EmulatorError(f"port {aws.port} was taken by {holder(aws.port)} just now: start again")

    @classmethod
    def find(cls, directory: Path) -> "LocalEmulator | None":
        """The local AWS emulator that runs in a directory, started by whatever process, or None."""
        directory = directory.absolute()
        try:
            record = json.loads((directory / supervisor.RECORD).read_text(encoding="utf-8"))
            process = psutil.Process(record["supervisor"])
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return None
        if not supervisor.is_of(process, directory):
            return None
        aws = cls(directory, record["port"], record["pid"], process)
        return aws if aws.alive() else None

    @classmethod
    def end(cls, directory: Path) -> None:
        """End whatever local AWS emulator is or was in a directory and delete its folders, whoever started it.

        Raises:
            EmulatorError: a process could not be ended.
        """
        if left := supervisor.clear(directory.absolute()):
            raise EmulatorError(
                f"processes of the local AWS emulator in {directory} can't be ended: {', '.join(map(str, left))}; "
                f"end them with: kill -9 {' '.join(map(str, left))}"
            )

    @classmethod
    def _launch(
        cls, directory: Path, port: int, auth: bool, lasting: bool, extra: Mapping[str, str]
    ) -> "LocalEmulator":
        for name in supervisor.FOLDERS:
            (directory / name).mkdir(parents=True, exist_ok=True)
        # -P: neither the working directory nor this package's may shadow what is imported.
        python = [sys.executable, "-P"]
        mode = "lasting" if lasting else "kept"
        with (directory / supervisor.LOG).open("ab") as log:
            process = subprocess.Popen(
                [*python, supervisor.__file__, directory, mode, *python, "-m", "ministack"],
                env=_environ(directory, port, auth) | dict(extra),
                stdin=subprocess.DEVNULL if lasting else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        aws = cls(directory, port, 0, process)
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
        if lasting:  # not ours to wait for: neither here nor when this object goes
            aws._supervisor = psutil.Process(process.pid)
            process.returncode = 0
        return aws

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _HEALTHY_WITHIN
        while time.monotonic() < deadline:
            # Both: on a busy port another one answers, while ours is still about to give up.
            if self._answers() and listens(self.pid, self.port):
                return
            if not self._supervisor_alive():
                if not is_free(self.port):
                    raise _PortTakenError
                raise EmulatorError(f"MiniStack ended while starting: {self._last_words()}")
            time.sleep(0.02)
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
        log = self.directory / supervisor.LOG
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        return f"{said[-1] if said else 'it said nothing'} (all of it in {log})"

    def _supervisor_alive(self) -> bool:
        if isinstance(self._supervisor, psutil.Process):
            return processes.lives(self._supervisor)
        return self._supervisor.poll() is None

    @property
    def endpoint_url(self) -> str:
        """Its address, by number, so that S3 clients don't put the bucket into the host name."""
        return f"http://{LOOPBACK}:{self.port}"

    def alive(self) -> bool:
        """Whether it still runs and serves its port."""
        return self._supervisor_alive() and listens(self.pid, self.port)

    def stop(self) -> None:
        """End it with all Lambda workers and delete its folders; its log stays. Again does nothing.

        Raises:
            EmulatorError: a process could not be ended.
        """
        with contextlib.suppress(OSError, psutil.Error):
            self._supervisor.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired, psutil.Error):
            self._supervisor.wait(_STOPPED_WITHIN)
        if isinstance(self._supervisor, subprocess.Popen) and self._supervisor.stdin:
            self._supervisor.stdin.close()
        self.end(self.directory)  # sees that it is so, also where the supervisor was killed

    def __enter__(self) -> "LocalEmulator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _readable(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    if process.stdout is None:  # never so: it was asked for
        raise EmulatorError("the supervisor of the local AWS emulator has no output")
    return process.stdout


def _environ(directory: Path, port: int, auth: bool) -> dict[str, str]:
    """All that MiniStack sees, and hands on to the functions: the user's settings are not for them."""
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
        "IOT_MTLS_ENABLED": "0",  # an MQTT port of its own, open to all
        "AUTH": "true" if auth else "false",
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",  # never the user's
        "POWERTOOLS_TRACE_DISABLED": "1",  # there is no X-Ray daemon
        "AWS_EC2_METADATA_DISABLED": "true",
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), f"{LOOPBACK},localhost"),
    }
