"""The report of a wait that ends without its result."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from event_harness.errors import WaitError
from event_harness.explaining.report import Report
from event_harness.listening.listener import Listener
from event_harness.results.sent import Sent

LONG = 180.0  # seconds; only a test that fails takes so long


def report_of(listener: Listener, sent: Sent, told: str | Callable[[Report], object], **wait: Any) -> Report:
    """Wait again and again until the report tells what it is to tell; return the last report.

    A slow machine may not have come so far when a short wait ends.

    Args:
        listener: Waits.
        sent: The input.
        told: How the cause begins, or what judges the report.
        wait: Arguments of `wait_for`.
    """
    deadline = time.monotonic() + LONG
    while True:
        with pytest.raises(WaitError) as caught:
            listener.wait_for(sent, **{"timeout": 3} | wait)
        report = caught.value.report
        assert str(caught.value).startswith(report.headline()[0])
        if report.cause.startswith(told) if isinstance(told, str) else told(report):
            return report
        if time.monotonic() > deadline:
            return report
