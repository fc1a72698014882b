"""Fixtures that tests of every layer use."""

import atexit
import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_harness.plugin_process import SETTINGS_KEY
from event_harness.terraform.provider_source import VARIABLE

TESTS = Path(__file__).parent

# Six processes collect 6,000 tests each. Nothing of that becomes garbage, and Python would search all of it
# again and again: during the collection, with each test, and at its end.
gc.disable()
atexit.register(gc.freeze)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Search for garbage from now on, but not among what has been collected."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let tests that run terraform themselves use the same providers as the session."""
    if wish := config.stash[SETTINGS_KEY].providers():
        os.environ.setdefault(VARIABLE, wish)


# The files that take longest, in the order in which workers take them: what begins last should end soon.
LONGEST = (
    "test_inspecting",
    "test_account_policy",
    "test_xdist",
    "test_adopt",
    "test_reuse",
    "test_kill",
    "test_plans",
    "test_edited_functions",
    "test_faults",
    "test_endings",
    "test_deployment",
    "test_explanations",
    "test_site",
    "test_endings_of_pytest",
    "test_init",
    "test_demo",
    "test_local_emulator",
    "test_deploy_by_hand",
    "test_nightly",
    "test_faults_on_purpose",
    "test_least_privilege",
    "test_distribution",
    "test_kinesis",
    "test_secrets",
    "test_up_and_down",
    "test_permissions",
    "test_branches",
)
LAYERS = ("integration", "plan", "unit", "config", "commands")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, then layer by layer; within a file, nothing changes."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> tuple[int, int]:
    layer = path.relative_to(TESTS).parts[0]
    long = layer in LAYERS[:2] and path.stem in LONGEST
    return (LONGEST.index(path.stem) if long else len(LONGEST), LAYERS.index(layer))


@pytest.fixture
def hang_up_counts() -> Iterator[None]:
    """Let SIGHUP end this process and its children, even under `nohup`, which ignores SIGHUP."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
