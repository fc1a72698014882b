"""Processes of a deployment: whether the one that wrote something down still lives, and how they are ended."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil

_ENDED_WITHIN = 5.0  # seconds for a process that was asked to end
_YOUNG, _AGAIN = 0.2, 0.01  # seconds that a process may take to begin, and between two looks at it


def started_at(process: psutil.Process) -> float:
    """When a process began: with its pid, what tells it from all that have that pid before or after it.

    On Linux in seconds from boot, as the kernel keeps it. psutil's time of creation counts from when the
    kernel now thinks that it was booted, which NTP or a suspend shifts.

    Raises:
        OSError, psutil.Error: it is gone.
    """
    if sys.platform != "linux":
        return process.create_time()
    fields = Path(f"/proc/{process.pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def still_lives(pid: int, started: float) -> bool:
    """Whether the process that has noted its pid and its `started_at` is alive."""
    try:
        process = psutil.Process(pid)
        return started_at(process) == started and lives(process)
    except (psutil.Error, OSError):
        return False


def lives(process: psutil.Process) -> bool:
    """Whether a process is alive; where nobody reaps it, a zombie is dead for ever."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def carrying(name: str, value: str) -> list[psutil.Process]:
    """Every living process, except this one, that was started with a variable of this value."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and _environment(process).get(name) == value:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # another user's, or just gone
    return found


def _environment(process: psutil.Process) -> dict[str, str]:
    """What it was started with. That is empty for a moment while a process begins: then it is asked again."""
    environ = process.environ()
    while not environ and sys.platform == "linux" and _age(process) < _YOUNG:
        time.sleep(_AGAIN)
        environ = process.environ()
    return environ


def _age(process: psutil.Process) -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_at(process)


def end(processes: list[psutil.Process]) -> None:
    """Ask them to end; kill those that don't."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            send(process, number)
        processes = wait(processes, _ENDED_WITHIN)


def wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until they have ended and return those that haven't."""
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if lives(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def send(process: psutil.Process, number: signal.Signals) -> None:
    """Send a signal; what is gone meanwhile needs none."""
    try:
        process.send_signal(number)
    except psutil.Error:
        return
