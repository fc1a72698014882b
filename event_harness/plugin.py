"""The pytest plugin: options and hooks. It is thin: the classes behind it work without pytest."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from event_harness.deployments.ending import Ending
from event_harness.errors import HarnessError, SettingError, printable
from event_harness.explaining.terminal import PROPERTY, present
from event_harness.explaining.tracebacks import shorten
from event_harness.following import GROUP_KEY, join_group
from event_harness.machine.boundary import explained
from event_harness.machine.interrupts import orderly_interrupts
from event_harness.permissions import limits
from event_harness.plugin_process import (
    ENDING_KEY,
    SETTINGS_KEY,
    STDERR_KEY,
    Stderr,
    add_status_line,
    check_forked,
    own_session,
    sayer,
)
from event_harness.plugin_report import add_reports
from event_harness.settings import SETTINGS, Settings

if TYPE_CHECKING:  # a project that doesn't use the harness must not wait for boto3 and tftest
    from event_harness.deployments.sharing import Lender

pytest_plugins = ["event_harness.fixtures", "event_harness.plugin_inspection"]

LENDER_KEY = pytest.StashKey["Lender"]()
OPEN_KEY = pytest.StashKey[ExitStack[bool | None]]()
NOT_FORKED_KEY = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register every setting as an option and as an ini value."""
    group = parser.getgroup("event-harness", "event-driven systems on AWS")
    for setting in SETTINGS:
        arguments: dict[str, Any] = {"dest": setting.ini, "default": None, "help": setting.help}
        if setting.kind == "flag":
            arguments["action"] = "store_true"
        elif setting.kind == "list":
            metavar = "NAME=VALUE" if setting.name == "var" else setting.name.upper()
            arguments |= {"action": "append", "metavar": metavar}
        else:
            arguments["metavar"] = setting.name.upper()
            if setting.kind == "optional":
                arguments |= {"nargs": "?", "const": setting.bare}
        group.addoption(setting.option, **arguments)
        kind: Literal["linelist", "string"] = "linelist" if setting.kind == "list" else "string"
        parser.addini(setting.ini, setting.help, type=kind)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> None:
    """Keep a path that follows a bare option apart from it: `pytest --harness-reuse tests/test_orders.py`."""
    bare = {setting.option: setting.bare for setting in SETTINGS if setting.kind == "optional"}
    for number, (word, follows) in enumerate(pairwise(list(args))):
        if word in bare and _is_path(follows):
            args[number] = f"{word}={bare[word]}"


def _is_path(word: str) -> bool:
    """Whether a word names files, and can't be the id of a deployment or the name of a component."""
    path = word.partition("::")[0]
    return re.search(r"[/.\\]", path) is not None and Path(path).exists()


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, and let SIGTERM and SIGHUP end the session like Ctrl-C."""
    config.addinivalue_line(
        "markers",
        "sla(seconds, samples=, p95=): the timeout of this test's waits, and limits for `listener.measure`",
    )
    with _usage_errors():
        settings = Settings(
            {setting.name: config.getoption(setting.ini) for setting in SETTINGS},
            os.environ,
            {setting.name: config.getini(setting.ini) for setting in SETTINGS},
        )
        if getattr(config.option, "forked", False):
            check_forked()
    config.stash[SETTINGS_KEY] = settings
    stderr = Stderr()
    config.stash[STDERR_KEY] = stderr
    add_status_line(config)
    join_group(config)
    with _usage_errors():
        add_reports(config)
    config.stash[ENDING_KEY] = Ending(stderr.write, config.rootpath / settings["state_dir"])
    config.pluginmanager.register(_LastHook())
    config.stash[OPEN_KEY] = ExitStack()
    config.stash[OPEN_KEY].enter_context(orderly_interrupts())


def pytest_collection_finish(session: pytest.Session) -> None:
    """Don't fork for the marker `forked` where a forked test can't say how it ended."""
    plugins = session.config.pluginmanager
    if plugins.hasplugin("pytest_forked") and any(map(_is_forked, session.items)):
        try:
            check_forked("the marker `forked`")
        except SettingError as error:
            plugins.unregister(name="pytest_forked")
            session.config.stash[NOT_FORKED_KEY] = str(error)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test with the marker `forked` that can't be forked."""
    if _is_forked(item) and (why := item.config.stash.get(NOT_FORKED_KEY, "")):
        pytest.fail(why, pytrace=False)


def _is_forked(item: pytest.Item) -> bool:
    return item.get_closest_marker("forked") is not None


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The settings in force."""
    settings = config.stash[SETTINGS_KEY]
    lines = [settings.header()]
    try:
        with explained():
            lines += _provider_header(settings, config.rootpath)
            lines += _permissions_header(settings, config.rootpath)
    except HarnessError as error:
        lines.append(f"event-harness: {error}")
    return [printable(line) for line in lines]


def _permissions_header(settings: Settings, project: Path) -> list[str]:
    """What is checked of permissions; nothing on a real account or without a deployment."""
    if settings["target"] == "aws" or settings["resources"] or not _deploys(settings, project):
        return []
    return [f"event-harness: {limits.header(settings['iam'])}"]


def _deploys(settings: Settings, project: Path) -> bool:
    """Whether there is a Terraform root to deploy."""
    return any((project / settings["root"]).glob("*.tf*"))


def _provider_header(settings: Settings, project: Path) -> list[str]:
    """Which provider a deployment would use; nothing if none is made: a kept one has its own."""
    if settings["resources"] or settings["reuse"] or not _deploys(settings, project):
        return []
    from event_harness.machine.cache import cache_directory
    from event_harness.terraform import provider_source

    said = provider_source.announced(
        "aws" if settings["target"] == "aws" else "local",
        settings.providers(),
        settings.origin("providers"),
        settings["terraform"],
        cache_directory(),
        os.environ,
    )
    return [f"event-harness: {said}"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist: the controller deploys for all workers. Tell a worker the lending folder.

    So the death of a worker never takes the deployment along.
    """
    from event_harness.deployments.sharing import Lender, lending_folder

    config, stash = node.config, node.config.stash
    with _usage_errors():
        if LENDER_KEY not in stash:
            folder = lending_folder(config.rootpath / config.stash[SETTINGS_KEY]["state_dir"])
            stash[LENDER_KEY] = Lender(lambda: own_session(config), folder, say=sayer(config))
            stash[ENDING_KEY].add(stash[LENDER_KEY])  # before its session: it must stop to deploy first
            config.pluginmanager.register(_End(stash[LENDER_KEY]))
        node.workerinput["event_harness_group"] = stash[GROUP_KEY]
        node.workerinput["event_harness"] = str(stash[LENDER_KEY].open())


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Let an error end pytest with one line, before any test."""
    try:
        with explained():
            yield
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error


class _End:
    """Acts at the end of a session with workers, before xdist waits some seconds for their end."""

    def __init__(self, lender: "Lender") -> None:
        self.lender = lender

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Stop a running apply: no worker waits for it any more."""
        self.lender.release()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Destroy the session's deployment, also if another plugin's hook fails. If it can't, the session fails.

    This wrapper is the innermost one: pytest prints its summary afterwards. `_LastHook` is the outermost one.
    """
    try:
        return (yield)
    finally:
        _end(session)


class _LastHook:
    """Ends the session if a wrapper of another plugin kept the innermost hook from being called."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Destroy the session's deployment after all other hooks."""
        try:
            return (yield)
        finally:
            _end(session)


def _end(session: pytest.Session) -> None:
    ending = session.config.stash[ENDING_KEY]
    try:
        ending.run()
    finally:
        if ending.failed and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> Iterator[None]:
    """End the session once more, if its end was skipped, and restore the signal handlers."""
    try:
        if ENDING_KEY in config.stash:
            config.stash[ENDING_KEY].run()
        return (yield)
    finally:
        if OPEN_KEY in config.stash:
            config.stash[OPEN_KEY].close()


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Shorten the traceback of the harness's errors; attach the whole explanation to the JUnit report."""
    if call.excinfo is None:
        return
    found = getattr(call.excinfo.value, "report", None)
    if found is not None:
        item.user_properties.append((PROPERTY, found.full()))
    shorten(call.excinfo.value)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Show explanations: in the process that has the terminal, also those of the workers."""
    present(report)
