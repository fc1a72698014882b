"""The pytest plugin: options, fixtures and hooks. It is thin: the classes behind it work without pytest."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from event_harness.deployments.ending import Ending
from event_harness.errors import DeploymentError, HarnessError, SettingError, printable
from event_harness.explaining.terminal import PROPERTY, present
from event_harness.explaining.tracebacks import shorten
from event_harness.machine.boundary import explained
from event_harness.machine.interrupts import orderly_interrupts
from event_harness.machine.progress import harmless
from event_harness.settings import BY_NAME, SETTINGS, Settings, parse

if TYPE_CHECKING:  # a project that doesn't use the harness must not wait for boto3 and tftest
    from event_harness.deployments.session import Session
    from event_harness.deployments.sharing import Lendable, Lender
    from event_harness.listening.listener import Listener
    from event_harness.producers import Producer
    from event_harness.system.deployed_system import DeployedSystem
    from event_harness.system.resources import ResourceMap

DEFAULT_PROBE: Any = object()  # the project hasn't overridden it: the first component decides
SETTINGS_KEY = pytest.StashKey[Settings]()
SESSION_KEY = pytest.StashKey["Session"]()
LENDER_KEY = pytest.StashKey["Lender"]()
ENDING_KEY = pytest.StashKey["Ending"]()
STDERR_KEY = pytest.StashKey["_Stderr"]()
OPEN_KEY = pytest.StashKey[ExitStack[bool | None]]()


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


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, and let SIGTERM and SIGHUP end the session like Ctrl-C."""
    config.addinivalue_line("markers", "sla(seconds): how long this test's waits may take unless they say so")
    try:
        settings = Settings(
            {setting.name: config.getoption(setting.ini) for setting in SETTINGS},
            os.environ,
            {setting.name: config.getini(setting.ini) for setting in SETTINGS},
        )
    except SettingError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[SETTINGS_KEY] = settings
    stderr = _Stderr()
    config.stash[STDERR_KEY] = stderr
    config.stash[ENDING_KEY] = Ending(stderr.write, config.rootpath)
    config.pluginmanager.register(_LastHook())
    config.stash[OPEN_KEY] = ExitStack()
    config.stash[OPEN_KEY].enter_context(orderly_interrupts())


def _session(config: pytest.Config) -> "Lendable":
    """The source of this process's system: its own session, or the controller that lends to its workers."""
    lent = getattr(config, "workerinput", {}).get("event_harness")
    settings = config.stash[SETTINGS_KEY]
    if settings["resources"] or settings["reuse"]:
        return _own_session(config)
    if lent is None:
        if not config.stash[ENDING_KEY].is_ours and SESSION_KEY not in config.stash:
            raise DeploymentError(
                "a forked child can't deploy the system, since nothing would destroy it: run pytest without "
                "--forked, or add -n 1 (then the controller of pytest-xdist deploys)"
            )
        return _own_session(config)
    from event_harness.deployments.sharing import Borrowed

    return Borrowed(Path(lent))


def _own_session(config: pytest.Config) -> "Session":
    """The session of this process, created at the first call."""
    from event_harness.deployments.session import Session

    if SESSION_KEY not in config.stash:
        config.stash[SESSION_KEY] = Session(
            config.stash[SETTINGS_KEY],
            config.rootpath,
            say=_sayer(config),
            warn=config.stash[STDERR_KEY].write,
        )
        config.stash[ENDING_KEY].add(config.stash[SESSION_KEY])
    return config.stash[SESSION_KEY]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The settings in force."""
    settings = config.stash[SETTINGS_KEY]
    lines = [settings.header(), *_provider_header(settings, config.rootpath)]
    return [printable(line) for line in lines]


def _provider_header(settings: Settings, project: Path) -> list[str]:
    """Which provider a deployment would use; nothing if there is no Terraform to deploy."""
    if settings["resources"] or not any((project / settings["root"]).glob("*.tf*")):
        return []
    from event_harness.machine.cache import cache_directory
    from event_harness.terraform import provider_source

    try:
        said = provider_source.announced(
            "aws" if settings["target"] == "aws" else "local",
            settings.providers(),
            settings.origin("providers"),
            settings["terraform"],
            cache_directory(),
            os.environ,
        )
    except HarnessError as error:
        said = str(error)
    return [f"event-harness: {said}"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist: the controller deploys for all workers. Tell a worker the lending folder.

    So the death of a worker never takes the deployment along.
    """
    from event_harness.deployments.sharing import Lender, lending_folder

    config, stash = node.config, node.config.stash
    if LENDER_KEY not in stash:
        folder = lending_folder(config.rootpath / config.stash[SETTINGS_KEY]["state_dir"])
        stash[LENDER_KEY] = Lender(lambda: _own_session(config), folder, say=_sayer(config))
        stash[ENDING_KEY].add(stash[LENDER_KEY])  # before its session: it must stop to deploy first
        config.pluginmanager.register(_End(stash[LENDER_KEY]))
    try:
        node.workerinput["event_harness"] = str(stash[LENDER_KEY].open())
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error


class _Stderr:
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


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> "DeployedSystem":
    """The system under test, deployed once for the whole session and destroyed at its end.

    With `--harness-reuse` or `--harness-resources` it is an existing system, which is not destroyed.
    """
    with _plain_errors():
        return _session(request.config).system()


@pytest.fixture(scope="session")
def harness_readiness_probe() -> Any:
    """Override it to choose the body of the readiness probe; None sends no probe.

    By default a text is sent if the system's first component is a bucket, and nothing otherwise: only you
    know which inputs another system accepts.
    """
    return DEFAULT_PROBE


@pytest.fixture(scope="session")
def harness_producer_settings() -> Mapping[str, Mapping[str, Any]]:
    """Override it to name the place of the correlation id in inputs: `{"orders": {"field": "order_id"}}`.

    It maps a component's name to the further arguments of its producer's class.
    """
    return {}


@pytest.fixture(scope="session")
def harness_listener(
    request: pytest.FixtureRequest,
    deployment: "DeployedSystem",
    harness_readiness_probe: Any,
    harness_producer_settings: Mapping[str, Mapping[str, Any]],
) -> "Listener":
    """The listener of this process. A readiness probe has come through, so notifications are live."""
    from event_harness.listening.listener import Listener
    from event_harness.listening.readiness import await_ready
    from event_harness.producers import producers_for
    from event_harness.producers.inflight import InFlight
    from event_harness.system.correlation import new_session_id

    settings = request.config.stash[SETTINGS_KEY]
    limit = settings["in_flight"] or (50 if deployment.target.endpoint_url is None else 4)
    workers = getattr(request.config, "workerinput", {}).get("workercount", 1)
    with _plain_errors():
        listener = Listener(
            deployment.resources,
            deployment.target,
            new_session_id(),
            sla=settings["sla"],
            in_flight=InFlight(max(1, limit // workers)),
        )
        probe = _readiness_probe(harness_readiness_probe, deployment.resources)
        if settings["readiness"] and probe is not None:
            producer = next(iter(producers_for(listener, harness_producer_settings).values()))
            took = await_ready(producer, listener, probe, limit=settings["readiness"])
            _say(request.config, f"ready: a readiness probe came through in {took:.1f} s")
    return listener


@pytest.fixture
def listener(request: pytest.FixtureRequest, harness_listener: "Listener") -> "Listener":
    """Awaits results: `listener.wait_for(sent)`. The default timeout of its waits is this test's SLA."""
    marker = request.node.get_closest_marker("sla")
    if marker is None:
        return harness_listener
    if len(marker.args) != 1 or marker.kwargs:
        pytest.fail("@pytest.mark.sla takes one argument, the seconds: @pytest.mark.sla(5)", pytrace=False)
    try:
        return harness_listener.with_sla(parse(BY_NAME["sla"], str(marker.args[0]), "@pytest.mark.sla"))
    except SettingError as error:
        line = str(error)
    pytest.fail(line, pytrace=False)


@pytest.fixture(scope="session")
def producers(
    harness_listener: "Listener", harness_producer_settings: Mapping[str, Mapping[str, Any]]
) -> "Mapping[str, Producer]":
    """The producers of all components that take inputs, by component name."""
    from event_harness.producers import producers_for

    with _plain_errors():
        return producers_for(harness_listener, harness_producer_settings)


@pytest.fixture(scope="session")
def producer(producers: "Mapping[str, Producer]") -> "Producer":
    """The producer of the first component: `sent = producer.send("a text")`."""
    return next(iter(producers.values()))


def _readiness_probe(chosen: Any, resources: "ResourceMap") -> Any:
    """The body of the readiness probe; None for no readiness probe."""
    if not resources.components:
        return None
    if chosen is not DEFAULT_PROBE:
        return chosen
    return "readiness probe" if resources.components[0].type == "s3" else None


@contextmanager
def _plain_errors() -> Iterator[None]:
    """If a fixture fails, each test that needs it shows one line and no traceback."""
    try:
        with explained():
            yield
    except HarnessError as error:
        failed = pytest.fail.Exception(str(error), pytrace=False)
        setattr(failed, "report", getattr(error, "report", None))  # noqa: B010 (pytest's class has no such)
        raise failed from None


def _sayer(config: pytest.Config) -> Callable[[str], None]:
    return lambda line: _say(config, line)


def _say(config: pytest.Config, line: str) -> None:
    """Print a line, also while pytest captures output."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None:
        return

    def write(text: str) -> None:
        reporter.ensure_newline()
        reporter.write_line(text)

    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else ExitStack():
        harmless(write)(f"event-harness: {printable(line)}")
