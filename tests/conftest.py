"""What tests of every layer use."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def hang_up_counts() -> Iterator[None]:
    """Lets a hang-up end this process and what it starts, also where `nohup` says to ignore it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
