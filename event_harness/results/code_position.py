"""Finds where in a function's own code an error was raised."""

import re

_FRAME = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+)')
# Python's own files, those of the runtime (also the emulator's), of layers and of installed packages.
_NOT_OWN = re.compile(
    r"^<|/(?:site|dist)-packages/|/lib(?:64)?/python\d|^/var/runtime/|^/opt/"
    r"|/ministack-lambda-[^/]+/_worker\.py$"
)


def code_position(traceback: str) -> str | None:
    """File and line of the last frame in the function's own code (`app.py:14`); None if there is none."""
    own = [frame for frame in _FRAME.finditer(traceback) if not _NOT_OWN.search(frame["file"])]
    return f"{own[-1]['file'].rpartition('/')[2]}:{own[-1]['line']}" if own else None
