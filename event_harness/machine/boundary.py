"""Turns errors of the machine into one line for a person: what failed, where, and what to do.

The entries (the command line, the fixtures, the demonstration) run inside `explained`. Code below them raises
a HarnessError wherever it knows the cause better.
"""

import errno
import os
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from event_harness.errors import HarnessError, MachineError, printable

P = ParamSpec("P")
R = TypeVar("R")

VARIABLE = "EVENT_HARNESS_TRACEBACK"
"""The environment variable that shows the traceback of an unexpected error."""

# Libraries whose errors become one line, too. They are known by name: importing them here would cost time.
_LIBRARIES = ("botocore", "psutil", "subprocess")
_EXPECTED = (OSError, ValueError, ArithmeticError, RecursionError, MemoryError)

_FULL = "the disk is full", "free space on its disk, or write elsewhere"
# What an errno means, and what to do.
_SYSTEM = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: ("the disk quota is used up", "free space, or write elsewhere"),
    errno.EFBIG: ("the file would be too large", "raise the limit (ulimit -f), or write elsewhere"),
    errno.EROFS: ("the file system is read-only", "work in a directory that can be written"),
    errno.EACCES: ("permission denied", "check the owner and the mode of the file and its directories"),
    errno.EPERM: ("not permitted", "check the owner and the mode of the file and its directories"),
    errno.ENOENT: ("it doesn't exist", "create it, or correct the path"),
    errno.ENOTDIR: ("a part of its path is not a directory", "correct the path"),
    errno.EISDIR: ("it is a directory", "name a file"),
    errno.EEXIST: ("it exists already", "remove it, or name another"),
    errno.ENAMETOOLONG: ("its name is too long", "use a shorter path"),
    errno.ELOOP: ("its symbolic links form a loop", "remove one of the links"),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n)"),
    errno.ENFILE: ("too many files are open on this machine", "end other programs"),
    errno.ENOMEM: ("out of memory", "end other programs, or use a larger machine"),
    errno.EAGAIN: ("out of processes", "end other programs, or raise the limit (ulimit -u)"),
}


class explained:  # noqa: N801 (it is used like the context managers of contextlib)
    """Turn an error of the machine, or of a value that nobody checked, into a MachineError of one line.

    It is a context manager and a decorator. A decorated function shows no frame of its own in a traceback of
    pytest, because that frame would show the arguments: the contents that a test sends.

    Raises:
        MachineError: an OSError, ValueError, ArithmeticError, RecursionError or MemoryError, or an error of
            botocore, psutil or subprocess, came through. A HarnessError passes unchanged.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Raise a MachineError in place of an error of the machine; let every other error pass."""
        if not isinstance(error, Exception) or isinstance(error, HarnessError | BrokenPipeError):
            return  # a broken pipe is the reader's choice: the entries end quietly
        if os.environ.get(VARIABLE) or not (isinstance(error, _EXPECTED) or _of_a_library(error)):
            return
        raise MachineError(explain(error)) from error

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function."""

        @wraps(function)
        def at_the_boundary(*args: P.args, **kwargs: P.kwargs) -> R:
            """Call the function inside the boundary."""
            __tracebackhide__ = True
            with self:
                return function(*args, **kwargs)

        return at_the_boundary


def explain(error: BaseException) -> str:
    """Return one line about an error: the file or the value, the cause, and what to do."""
    if isinstance(error, RecursionError):
        said, remedy = "the data is nested too deeply", "flatten it, or look for a loop in it"
    elif isinstance(error, MemoryError):
        said, remedy = _SYSTEM[errno.ENOMEM]
    elif isinstance(error, OSError) and error.errno in _SYSTEM:
        said, remedy = _SYSTEM[error.errno]
    else:
        said, remedy = _first_line(error), f"if the input is right, report this; {VARIABLE}=1 shows where"
    path = _path_of(error)
    line = f"{path}: {said}; {remedy}" if path else f"{said}; {remedy} (in {_place(error)})"
    return printable(line.replace("\n", " "))


def _of_a_library(error: BaseException) -> bool:
    return any(kind.__module__.partition(".")[0] in _LIBRARIES for kind in type(error).__mro__)


def _first_line(error: BaseException) -> str:
    said = (str(error).strip().splitlines() or [""])[0][:200]
    if isinstance(error, OSError) and error.strerror:
        said = error.strerror
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _path_of(error: BaseException) -> str:
    """The file that an error is about: its own, or the one that pathlib or shutil worked on."""
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    if isinstance(name, (str, bytes)):
        return os.fsdecode(name)
    if isinstance(error, (OSError, UnicodeError, RecursionError)):
        for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
            # Python 3.13 has the class in pathlib._local.
            module = str(frame.f_globals.get("__name__")).partition(".")[0]
            variables = frame.f_locals
            for place in ("self",) if module == "pathlib" else ("dst", "fdst") if module == "shutil" else ():
                if isinstance(variables.get(place), (str, Path)):
                    return str(variables[place])
    return ""


def _place(error: BaseException) -> str:
    """The innermost function of ours that an error passed."""
    ours = [entry for entry in _entries(error.__traceback__) if f"{os.sep}event_harness{os.sep}" in entry[0]]
    file, line, function = (ours or _entries(error.__traceback__) or [("?", 0, "?")])[-1]
    return f"{Path(file).stem}.{function}, line {line}"


def _entries(trace: TracebackType | None) -> list[tuple[str, int, str]]:
    return [
        (frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in traceback.walk_tb(trace)
    ]
