"""Fixtures that tests of every layer use."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def hang_up_counts() -> Iterator[None]:
    """Let SIGHUP end this process and its children, even under `nohup`, which ignores SIGHUP."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
