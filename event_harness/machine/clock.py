"""This machine's clock, also while freezegun or time-machine fakes Python's own in the user's tests."""

import ctypes
import time
from datetime import UTC, datetime, timedelta

_CLOCK_REALTIME = 0  # on Linux and on macOS


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


# To open the library takes 20 times as long as to ask it.
_library = ctypes.CDLL(None, use_errno=True)


def timestamp() -> float:
    """Seconds since 1970. The C library is asked: freezegun and time-machine replace Python's functions."""
    read = _Timespec()
    if _library.clock_gettime(_CLOCK_REALTIME, ctypes.byref(read)):
        raise OSError(ctypes.get_errno(), "the clock can't be read")
    return float(read.seconds + read.nanoseconds / 1e9)


def now() -> datetime:
    """The time in UTC."""
    # `datetime` itself may be faked, so the time is not taken from its `now` or `fromtimestamp`.
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=timestamp())


def monotonic() -> float:
    """Seconds from an arbitrary start. freezegun replaces `time.monotonic`, but not this function."""
    return float(time.clock_gettime(time.CLOCK_MONOTONIC))
