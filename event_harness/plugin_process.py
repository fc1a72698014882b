"""What the plugin keeps for a pytest process: its settings, its session and its output."""

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from event_harness.deployments.ending import Ending
from event_harness.errors import DeploymentError, SettingError, printable
from event_harness.machine.progress import harmless
from event_harness.machine.status_line import StatusLine, terminal_width
from event_harness.settings import Settings

if TYPE_CHECKING:  # a project that doesn't use the harness must not wait for boto3 and tftest
    from event_harness.deployments.session import Session
    from event_harness.deployments.sharing import Lendable

SETTINGS_KEY = pytest.StashKey[Settings]()
SESSION_KEY = pytest.StashKey["Session"]()
ENDING_KEY = pytest.StashKey[Ending]()
FOUND_KEY = pytest.StashKey[Callable[..., None]]()
STDERR_KEY = pytest.StashKey["Stderr"]()
STATUS_KEY = pytest.StashKey[StatusLine]()


class Stderr:
    """This process's stderr before pytest captured it. Any thread may write to it at any time."""

    def __init__(self) -> None:
        try:
            self._descriptor: int | None = os.dup(2)
        except OSError:  # it is closed
            self._descriptor = None

    def write(self, line: str) -> None:
        """Print a line."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.write(self._descriptor, f"\nevent-harness: {line}\n".encode(errors="replace"))


def check_forked(cause: str = "--forked") -> None:
    """Refuse a pytest-forked that can't send the reports of this pytest from a child to its parent.

    Args:
        cause: what lets tests fork.

    Raises:
        SettingError: each test would end with "EXITED with status 3".
    """
    import importlib.metadata
    import marshal

    import pytest_forked

    report = pytest.TestReport("test", ("test.py", 1, "test"), {}, "passed", None, "call")
    try:
        marshal.dumps(pytest_forked.serialize_report(report))
    except ValueError:
        version = importlib.metadata.version("pytest-forked")
        raise SettingError(
            f"pytest-forked {version} doesn't work with pytest {pytest.__version__}: a child can't send its "
            f"reports; run pytest without {cause}, or install another release of one of them"
        ) from None


def add_status_line(config: pytest.Config) -> None:
    """Prepare the line about waits, if this process has a terminal that shows one.

    It must be called before pytest captures the output: the line goes to the terminal itself.
    """
    is_worker = hasattr(config, "workerinput")
    if is_worker or config.get_verbosity() < 0 or os.environ.get("TERM") == "dumb":
        return
    try:
        if not os.isatty(1):
            return
        descriptor = os.dup(1)
    except OSError:  # it is closed
        return
    config.stash[STATUS_KEY] = StatusLine(
        lambda text: _write(descriptor, text),
        column=lambda: _column(config),
        columns=lambda: terminal_width(descriptor),
    )


def _column(config: pytest.Config) -> int:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    return reporter._tw.width_of_current_line if reporter else 0


def _write(descriptor: int, text: str) -> None:
    with suppress(OSError):
        os.write(descriptor, text.encode(errors="replace"))


def session(config: pytest.Config) -> "Lendable":
    """The source of this process's system: its own session, or the controller that lends to its workers."""
    lent = getattr(config, "workerinput", {}).get("event_harness")
    settings = config.stash[SETTINGS_KEY]
    if settings["resources"]:
        return own_session(config)
    if lent is None:
        if not settings["reuse"] and not config.stash[ENDING_KEY].is_ours and SESSION_KEY not in config.stash:
            raise DeploymentError(
                "a forked child can't deploy the system, since nothing would destroy it: run pytest without "
                "--forked, or add -n 1 (then the controller of pytest-xdist deploys)"
            )
        return own_session(config)
    from event_harness.deployments.sharing import Borrowed

    return Borrowed(Path(lent))


def own_session(config: pytest.Config) -> "Session":
    """The session of this process, created at the first call."""
    from event_harness.deployments.session import Session

    if SESSION_KEY not in config.stash:
        config.stash[SESSION_KEY] = Session(
            config.stash[SETTINGS_KEY],
            config.rootpath,
            say=sayer(config),
            warn=config.stash[STDERR_KEY].write,
            found=config.stash.get(FOUND_KEY, None),
        )
        config.stash[ENDING_KEY].add(config.stash[SESSION_KEY])
    return config.stash[SESSION_KEY]


def sayer(config: pytest.Config) -> Callable[[str], None]:
    """A function that prints a line, also while pytest captures output."""
    return lambda line: say(config, line)


def say(config: pytest.Config, line: str) -> None:
    """Print a line, also while pytest captures output."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None:
        return

    def write(text: str) -> None:
        """Write a line of its own."""
        if STATUS_KEY in config.stash:
            config.stash[STATUS_KEY].clear()
        reporter.ensure_newline()
        reporter.write_line(text)

    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else ExitStack():
        harmless(write)(f"event-harness: {printable(line)}")
