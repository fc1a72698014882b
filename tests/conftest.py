"""Fixtures that tests of every layer use."""

import atexit
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from event_harness.deployments.shortcuts import MORE_MEMORY
from event_harness.plugin_process import SETTINGS_KEY
from event_harness.terraform.provider_source import VARIABLE
from tests import in_memory

TESTS = Path(__file__).parent
_FILES = in_memory.begin()  # a worker uses the directory of its controller

# Each test process collects 6,000 tests. Nothing of that becomes garbage, and Python would search all of it
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
    """Let tests that run terraform use the providers of the session, and collect garbage less often."""
    if wish := config.stash[SETTINGS_KEY].providers():
        os.environ.setdefault(VARIABLE, wish)
    for name, text in MORE_MEMORY.items():
        os.environ.setdefault(name, text)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Compile the tests of a fresh clone once: each worker would compile all of them, at the same time."""
    if sys.dont_write_bytecode or next(TESTS.rglob("test_*-pytest-*.pyc"), None):
        return
    halves = ("unit",), ("config", "integration", "plan")
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-qq"]
    started = [
        subprocess.Popen([*collect, *(TESTS / name for name in half)], stdout=subprocess.DEVNULL)
        for half in halves
    ]
    for process in started:
        process.wait()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    """Delete the temporary files, unless a test has failed: they may tell why."""
    if _FILES and exitstatus == pytest.ExitCode.OK:
        in_memory.end(_FILES)


# The files that take longest, in the order in which workers take them: what begins last should end soon.
# First come those that deploy.
LONGEST = (
    "test_explanations",
    "test_faults",
    "test_inspecting",
    "test_plans",
    "test_up_and_down",
    "test_reuse",
    "test_xdist",
    "test_deployment",
    "test_kill",
    "test_edited_functions",
    "test_transient_errors",
    "test_sweep",
    "test_endings_of_pytest",
    "test_local_emulator",
    "test_least_privilege",
    "test_endings",
    "test_kinesis",
    "test_secrets",
    "test_sources",
    "test_permissions",
    "test_faults_on_purpose",
    "test_hostile_world",
    "test_as_plain_terraform",
    "test_branches",
    "test_reports",
    "test_partial_batches",
    "test_local_isolation",
    "test_entrances",
    # Those of tests/unit and tests/config.
    "test_plugin",
    "test_interruptions",
    "test_boundary",
    "test_snippets",
    "test_over_wait",
    "test_start_up",
    "test_documents",
    "test_recovery",
    "test_view",
    "test_words",
    # Those of tests/commands.
    "test_guarantees",
    "test_maintenance",
    "test_account_policy",
    "test_adopt",
    "test_init",
)
FAST = ("unit", "config")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what deploys first, and of that and the rest the longest files; within a file, nothing changes."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> tuple[bool, int, str]:
    layer = path.relative_to(TESTS).parts[0]
    long = LONGEST.index(path.stem) if path.stem in LONGEST else len(LONGEST)
    return layer in FAST, long, layer


# File -> a file that the same worker takes.
WITH_ANOTHER = {
    # They deploy a second system, which they may break: each group deploys it once.
    "test_redrive.py": "test_explanations.py",
    "test_tutorial.py": "test_explanations.py",
    "test_failures.py": "test_faults.py",
    # They parse every Terraform file of the repository, which takes a second.
    "test_deprecations.py": "test_conventions.py",
    "test_gate.py": "test_conventions.py",
    "test_opentofu.py": "test_conventions.py",
    "test_order.py": "test_conventions.py",
    "test_provider_arguments.py": "test_conventions.py",
    "test_security.py": "test_conventions.py",
}
# Each of its tests takes minutes, and can do without the others.
APART = ("test_guarantees.py",)


def taken_together(nodeid: str) -> str:
    """What all tests have in common that one worker takes: a file, or a file that stands for several."""
    directory, _, file = nodeid.partition("::")[0].rpartition("/")
    return nodeid if file in APART else f"{directory}/{WITH_ANOTHER.get(file, file)}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one worker, as `--dist loadfile` does, but for the files above.

    `--dist loadgroup` of pytest-xdist 3.8 does nothing with pytest 9.2.
    """
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return taken_together(nodeid)

    return Together(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture
def hang_up_counts() -> Iterator[None]:
    """Let SIGHUP end this process and its children, even under `nohup`, which ignores SIGHUP."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
