"""Removes the harness's own frames from the traceback that a test's author sees."""

import sysconfig
import traceback
from itertools import pairwise
from pathlib import Path

from event_harness.errors import HarnessError

PACKAGE = Path(__file__).parent.parent
_LIBRARIES = frozenset(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))


def shorten(error: BaseException) -> None:
    """Take the harness's own frames out of an error's traceback.

    It does so for the harness's own errors: their message is complete, so their `__cause__` goes too. It does
    so for errors that a test's own code raises when the harness calls it, such as a predicate. With those
    frames pytest would show the arguments of calls, and so the body of a result or of an input. Any other
    error may be the harness's fault; its traceback stays whole.
    """
    if isinstance(error, HarnessError):
        _drop_our_frames(error)
        error.__cause__, error.__suppress_context__ = None, True
    elif _came_of_a_call_back(error):
        _drop_our_frames(error)


def _came_of_a_call_back(error: BaseException) -> bool:
    """Whether the last code that the harness called is neither a library nor the harness itself."""
    files = [Path(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(error.__traceback__)]
    called = [after for before, after in pairwise(files) if PACKAGE in before.parents]
    return bool(called) and PACKAGE not in files[-1].parents and _LIBRARIES.isdisjoint(called[-1].parents)


def _drop_our_frames(error: BaseException) -> None:
    entry = error.__traceback__
    while entry and entry.tb_next:
        if PACKAGE in Path(entry.tb_next.tb_frame.f_code.co_filename).parents:
            entry.tb_next = entry.tb_next.tb_next
        else:
            entry = entry.tb_next
