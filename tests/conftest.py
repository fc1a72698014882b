"""Fixtures that tests of every layer use."""

import os
import signal
from collections.abc import Iterator

import pytest

from event_harness.plugin_process import SETTINGS_KEY
from event_harness.terraform.provider_source import VARIABLE


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let tests that run terraform themselves use the same providers as the session."""
    if wish := config.stash[SETTINGS_KEY].providers():
        os.environ.setdefault(VARIABLE, wish)


@pytest.fixture
def hang_up_counts() -> Iterator[None]:
    """Let SIGHUP end this process and its children, even under `nohup`, which ignores SIGHUP."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
