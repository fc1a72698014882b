"""Processes: tell whether a recorded process is still alive, find marked processes, end them."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil

from event_harness.machine import clock

_ENDED_WITHIN = 5.0  # seconds that a process gets to end after SIGTERM
_YOUNG, _AGAIN = 0.2, 0.01  # seconds that a process may take to start, and between two looks at it


def started_at(process: psutil.Process) -> float:
    """The start time of a process. Pid and start time together identify a process.

    On Linux these are seconds since boot, as the kernel stores them. psutil's `create_time` is based on the
    boot time, which changes with NTP or after a suspend.

    Raises:
        OSError, psutil.Error: the process is gone.
    """
    if sys.platform != "linux":
        return process.create_time()
    fields = Path(f"/proc/{process.pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def still_lives(pid: int, started: float) -> bool:
    """Whether the process with this pid and this `started_at` is alive."""
    try:
        process = psutil.Process(pid)
        return started_at(process) == started and lives(process)
    except (psutil.Error, OSError):
        return False


def lives(process: psutil.Process) -> bool:
    """Whether a process is alive. A zombie counts as dead."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def carrying(name: str, value: str) -> list[psutil.Process]:
    """Every living process, except this one, that has this environment variable with this value."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and _environment(process).get(name) == value:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # another user's process, or just gone
    return found


def _environment(process: psutil.Process) -> dict[str, str]:
    """The environment of a process. It is empty for a moment while a process starts, so look again then."""
    environ = process.environ()
    while not environ and sys.platform == "linux" and _age(process) < _YOUNG:
        time.sleep(_AGAIN)
        environ = process.environ()
    return environ


def _age(process: psutil.Process) -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_at(process)


def end(processes: list[psutil.Process]) -> None:
    """Send SIGTERM to processes, and SIGKILL to those that don't end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            send(process, number)
        processes = wait(processes, _ENDED_WITHIN)


def wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until processes have ended. Returns those that are still alive after `seconds`."""
    deadline = clock.monotonic() + seconds
    while (alive := [process for process in processes if lives(process)]) and clock.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def send(process: psutil.Process, number: signal.Signals) -> None:
    """Send a signal to a process, unless it is gone."""
    try:
        process.send_signal(number)
    except psutil.Error:
        return
