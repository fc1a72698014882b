"""The supervisor starts the local AWS emulator and ends it, with its Lambda workers, when the harness ends.

It is a process of its own in a session of its own. A Ctrl-C in the terminal therefore reaches neither it nor
the emulator, which `terraform destroy` still needs. It holds the reading end of a pipe from the harness. The
pipe closes when the harness dies, for whatever reason; the supervisor then clears up. It is run by its path
and imports nothing of this package.

    python supervisor.py DIRECTORY {kept|lasting|lasting-once-told} FILES COMMAND...

`kept` ends with the harness, `lasting` doesn't. `lasting-once-told` ends with the harness until that writes
a byte into the pipe. FILES is a JSON list of paths: files elsewhere that are of no use without the emulator.
The supervisor deletes them when the emulator has ended, whatever has ended it.

The emulator gets the supervisor's environment. The supervisor prints the emulator's pid and writes a record.
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

# An environment variable of the emulator and of every process that it starts: the emulator's directory.
MARK = "EVENT_HARNESS_EMULATOR"
FOLDERS = ("tmp", "state")
RECORD = "emulator.json"
LOG = "emulator.log"
KEPT, LASTING, LASTING_ONCE_TOLD = "kept", "lasting", "lasting-once-told"

_LOOK = 0.2  # seconds between two checks that emulator and harness still run
_GRACE = 1.0  # seconds that the emulator has to end by itself
# So many searches in a row must find no process, so many seconds apart: the environment of a process that
# has just started is empty for a moment.
_LOOKS, _BETWEEN = 2, 0.05
_PATIENCE = 60.0  # seconds after which `clear` gives up


def is_of(process: psutil.Process, directory: Path) -> bool:
    """Whether a process belongs to the emulator of this directory. Pids are used again, marks are not."""
    try:
        return process.environ().get(MARK) == str(directory) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False  # it has ended, or is another user's


def processes_of(directory: Path) -> list[psutil.Process]:
    """The living processes of the emulator of this directory, except the calling one.

    These are the processes that carry the mark and those in the same session: a function may start a process
    with an empty environment.
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
    """End every process of the emulator of this directory and delete its folders. A second call does no harm.

    Returns:
        The pids of the processes that could not be ended.
    """
    deadline = time.clock_gettime(time.CLOCK_MONOTONIC) + _PATIENCE
    looks, left = _LOOKS, list[psutil.Process]()
    while looks and time.clock_gettime(time.CLOCK_MONOTONIC) < deadline:
        left = processes_of(directory)
        for process in left:  # in each round, since a worker may start meanwhile
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


def _watch(child: subprocess.Popen[bytes], kept: bool, harness: int) -> None:
    """Return when the emulator has ended or, if it is kept for a harness, when that has ended."""
    while child.poll() is None:
        if not kept:
            time.sleep(_LOOK)
        elif select.select([0], [], [], _LOOK)[0] and os.read(0, 1):
            kept = False  # the harness has told it to last
        elif select.select([0], [], [], 0)[0] or os.getppid() != harness:
            return


def _opened(files: list[str]) -> list[tuple[str, int]]:
    """Names, each with a handle of its directory. That finds the file also after a directory was moved."""
    return [(os.path.basename(file), os.open(os.path.dirname(file), os.O_RDONLY)) for file in files]


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(arguments: list[str]) -> None:
    """Run one local AWS emulator until it ends, the harness ends, or a signal comes."""
    directory, kept, command = Path(arguments[0]), arguments[1] != LASTING, arguments[3:]
    harness, elsewhere = os.getppid(), _opened(json.loads(arguments[2]))
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
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of the pid sees the end
        _watch(child, kept, harness)
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for name, place in elsewhere:
            with contextlib.suppress(OSError):  # its directory may be gone, too
                os.unlink(name, dir_fd=place)
        clear(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
