"""Starts processes that get a signal when the one that has started them ends, whatever ends it. Linux only.

Python can set this between fork and exec (`preexec_fn`). But then it copies the page tables of the whole
process, and the kernel copies each page that Python touches next: a pytest of 230 MB spends 60 ms of CPU time
for each child, and 2 ms without. So util-linux's `setpriv` sets it, where it is installed.
"""

import ctypes
import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

_PR_SET_PDEATHSIG = 1


def start(
    arguments: Sequence[str | os.PathLike[str]], *, at_our_end: signal.Signals, **options: Any
) -> "subprocess.Popen[bytes]":
    """Start a process that gets a signal when the thread that calls this ends.

    Args:
        arguments: the program, by its path, and its arguments.
        at_our_end: the signal; it is sent on Linux only.
        options: for `subprocess.Popen`, without `preexec_fn`.

    Raises:
        OSError: the program can't be started.
    """
    if sys.platform != "linux":
        return subprocess.Popen(arguments, **options)
    setpriv = _setpriv()
    # Of a program that isn't there, setpriv would tell in words of its own.
    if setpriv and os.access(arguments[0], os.X_OK):
        return subprocess.Popen([setpriv, "--pdeathsig", at_our_end.name, "--", *arguments], **options)
    return subprocess.Popen(arguments, preexec_fn=_asking_for(at_our_end), **options)


@functools.cache
def _setpriv() -> str | None:
    """The program that sets the signal, and then is replaced by another one; that of busybox can't."""
    found = shutil.which("setpriv")
    if not found:
        return None
    try:
        tried = subprocess.run(
            [found, "--pdeathsig", "SIGKILL", "--", "/bin/sh", "-c", ":"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return found if tried.returncode == 0 else None


def _asking_for(number: signal.Signals) -> Callable[[], None]:
    """What the child does before it becomes the program."""
    return lambda: ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
