"""Starts the local AWS emulator and outlives the harness by a moment, to end it with all its Lambda workers.

A process of its own, in a session of its own: a Ctrl-C in the terminal reaches neither it nor the emulator
AWS, which `terraform destroy` still needs then. It holds the reading end of a pipe from the harness; when
the pipe closes, in whatever way the harness died, it clears up. DeploymentRecord by path, so it imports nothing of ours.

    python supervisor.py DIRECTORY {kept|lasting} COMMAND...

Its environment is what the local AWS emulator gets. It prints the pid of the local AWS emulator and writes a record.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import psutil

# In the environment of the local AWS emulator, and so of every process that it starts: whose they are.
MARK = "EVENT_HARNESS_EMULATOR"
FOLDERS = ("tmp", "state")
RECORD = "emulator.json"
LOG = "emulator.log"

_LOOK = 0.2  # seconds between two looks at whether all are still there
_GRACE = 1.0  # seconds for the local AWS emulator to end by itself
# Nothing must be found so often, so far apart: while a process begins, its environment is empty for a moment.
_LOOKS, _BETWEEN = 2, 0.05
_PATIENCE = 10.0  # seconds after which what still lives is given up


def is_of(process: psutil.Process, directory: Path) -> bool:
    """Whether a process belongs to the local AWS emulator of this directory: pids come again, the mark does not."""
    try:
        return process.environ().get(MARK) == str(directory) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False  # gone, or not ours to look at


def processes_of(directory: Path) -> list[psutil.Process]:
    """The living processes of the local AWS emulator of this directory, except this one.

    They carry the mark, or share the session of one that does, as what a function starts with an empty
    environment.
    """
    everyone = {process.pid: process for process in psutil.process_iter()}
    marked = {pid for pid, process in everyone.items() if is_of(process, directory)}
    sessions = {_session(pid) for pid in marked} - {None, os.getsid(0)}
    if os.environ.get(MARK) == str(directory):
        sessions.add(os.getsid(0))  # we are its supervisor
    found = marked | {pid for pid in everyone if _session(pid) in sessions}
    return [
        process
        for pid, process in everyone.items()
        if pid in found - {os.getpid()} and _status(process) not in (None, psutil.STATUS_ZOMBIE)
    ]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _status(process: psutil.Process) -> str | None:
    try:
        return str(process.status())
    except psutil.Error:
        return None


def clear(directory: Path) -> list[int]:
    """End every process of the local AWS emulator of this directory and delete its folders. Again does no harm.

    Returns:
        The processes that could not be ended.
    """
    deadline = time.monotonic() + _PATIENCE
    looks, left = _LOOKS, list[psutil.Process]()
    while looks and time.monotonic() < deadline:
        left = processes_of(directory)
        for process in left:  # again and again: a worker may be born meanwhile
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=0.5)
        looks = _LOOKS if left else looks - 1
        time.sleep(_BETWEEN)
    if not left:
        for name in FOLDERS:
            shutil.rmtree(directory / name, ignore_errors=True)
        (directory / RECORD).unlink(missing_ok=True)
    return [process.pid for process in left]


def _end_with_supervisor() -> None:
    """Ask Linux to end this process when its parent, the supervisor, is killed."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _record(directory: Path, child: int) -> None:
    record = directory / RECORD
    partial = record.with_suffix(".partial")
    port = int(os.environ["GATEWAY_PORT"])
    partial.write_text(json.dumps({"supervisor": os.getpid(), "pid": child, "port": port}), encoding="utf-8")
    partial.replace(record)


def _watch(child: subprocess.Popen[bytes], kept: bool) -> None:
    """Return when the local AWS emulator has ended, or the harness that it is kept for."""
    harness = os.getppid()
    while child.poll() is None:
        if not kept:
            time.sleep(_LOOK)
        elif select.select([0], [], [], _LOOK)[0] or os.getppid() != harness:
            return


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(arguments: list[str]) -> None:
    """Keep one local AWS emulator until it ends, the harness ends, or a signal says so."""
    directory, kept, command = Path(arguments[0]), arguments[1] == "kept", arguments[2:]
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        with (directory / LOG).open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=directory / FOLDERS[0],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_supervisor,  # safe: this process has one thread
            )
        _record(directory, child.pid)
        os.write(1, f"{child.pid}\n".encode())
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever reads the pid is not kept waiting for more
        _watch(child, kept)
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        clear(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
