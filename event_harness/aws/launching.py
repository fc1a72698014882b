"""How MiniStack is started: its supervisor, its whole environment, and how one sees that it answers."""

import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from event_harness.aws import supervisor as supervisor
from event_harness.aws.credentials import Credentials
from event_harness.aws.targets import NOWHERE
from event_harness.errors import EmulatorError
from event_harness.machine import folders
from event_harness.machine.ports import LOOPBACK

FRONT = "event_harness.aws.front"  # the module that serves MiniStack
_LEAST_FREE = 64 * 1024  # bytes


def write_log_to(log: Path, directory: Path) -> None:
    """Let an emulator write its log elsewhere than in its directory; a link there leads to it."""
    directory.mkdir(parents=True, exist_ok=True)
    folders.make(log.parent, exist_ok=True)
    link = directory / supervisor.LOG
    link.unlink(missing_ok=True)
    link.symlink_to(log.absolute())


def start_supervisor(
    directory: Path, environ: Mapping[str, str], *, mode: str, elsewhere: Iterable[Path] = ()
) -> "subprocess.Popen[bytes]":
    """Start the supervisor, which starts MiniStack.

    Args:
        directory: the emulator's directory.
        environ: the whole environment.
        mode: whether it outlives this process: `KEPT`, `LASTING` or `LASTING_ONCE_TOLD`.
        elsewhere: files that it deletes once the emulator has ended.
    """
    for name in supervisor.FOLDERS:
        (directory / name).mkdir(parents=True, exist_ok=True)
    # -P: no module in the working directory or in this package's directory shadows an installed one.
    python = [sys.executable, "-P"]
    files = json.dumps([str(file.absolute()) for file in elsewhere])
    with (directory / supervisor.LOG).open("ab") as log:
        return subprocess.Popen(
            [*python, supervisor.__file__, directory, mode, files, *python, "-m", FRONT],
            env=environ,
            stdin=subprocess.DEVNULL if mode == supervisor.LASTING else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )


def announced_pid(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """The pid of MiniStack, which the supervisor prints once it has started it.

    Raises:
        EmulatorError: the supervisor has ended without it.
    """
    if process.stdout is None:  # can't be: we asked for a pipe
        raise EmulatorError("the supervisor of the local AWS emulator has no output")
    with process.stdout as stdout:
        announced = stdout.readline().strip()
    if not announced:
        raise EmulatorError(f"the supervisor of the local AWS emulator did not start: {last_words(log)}")
    return int(announced)


def answers(port: int) -> bool:
    """Whether a MiniStack answers at a port."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def last_words(log: Path) -> str:
    """The last line of an emulator's log, for an error."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    said = [line.strip() for line in lines if line.strip()]
    if not said:
        full = shutil.disk_usage(log.parent).free < _LEAST_FREE
        return f"the disk of {log.parent} is full; free space on it" if full else "it logged nothing"
    return f"{said[-1]} (the whole log: {log})"


def environment(directory: Path, port: int, auth: bool, credentials: Credentials) -> dict[str, str]:
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
        # A policy of AWS whose document is not known allows everything, rather than nothing.
        "MINISTACK_AUTOCREATE_AWS_MANAGED": "1",
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",  # not the user's Docker
        "POWERTOOLS_TRACE_DISABLED": "1",  # there is no X-Ray daemon
        "AWS_EC2_METADATA_DISABLED": "true",
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), f"{LOOPBACK},localhost"),
    }
