"""The fixtures of the plugin. They are thin: the classes behind them work without pytest."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from event_harness.errors import HarnessError, uncut
from event_harness.following import follow, state_dir
from event_harness.machine.boundary import explained
from event_harness.plugin_inspection import inspection, silence_coverage
from event_harness.plugin_process import SETTINGS_KEY, say, session
from event_harness.settings import BY_NAME, parse

if TYPE_CHECKING:  # a project that doesn't use the harness must not wait for boto3 and tftest
    from event_harness.faults.faults import Faults
    from event_harness.listening.listener import Listener
    from event_harness.producers import Producer
    from event_harness.system.deployed_system import DeployedSystem
    from event_harness.system.resources import ResourceMap

DEFAULT_PROBE: Any = object()  # the project hasn't overridden it: the component where events enter decides


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> "DeployedSystem":
    """The system under test, deployed once for the whole session and destroyed at its end.

    With `--harness-reuse` or `--harness-resources` it is an existing system, which is not destroyed.
    """
    from event_harness.deployments.journals import publish

    with plain_errors():
        system = session(request.config).system()
    publish(system, state_dir(request.config))
    silence_coverage(request.config)
    return system


@pytest.fixture(scope="session")
def harness_readiness_probe() -> Any:
    """Override it to choose the body of the readiness probe; None sends no probe.

    By default a text is sent if events enter the system at a bucket, and nothing otherwise: only you know
    which inputs another system accepts.
    """
    return DEFAULT_PROBE


@pytest.fixture(scope="session")
def harness_entry() -> str | None:
    """Override it to name the component to which `producer` and the readiness probe send.

    By default it is the first listed component that takes inputs. Where the module lists none, it is the one
    that nothing in the system leads to.
    """
    return None


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
    harness_entry: str | None,
) -> "Listener":
    """The listener of this process. A readiness probe has come through, so notifications are live."""
    from event_harness.listening.listener import Listener
    from event_harness.producers.pacing import in_flight_of
    from event_harness.system.correlation import new_session_id

    settings = request.config.stash[SETTINGS_KEY]
    workers = getattr(request.config, "workerinput", {}).get("workercount", 1)
    with plain_errors():
        listener = Listener(
            deployment.resources,
            deployment.target,
            new_session_id(),
            sla=settings["sla"],
            in_flight=in_flight_of(deployment.target, settings["in_flight"], workers),
            debugged=inspection(request.config).suspended if settings["debug"] else None,
        )
        probe = _readiness_probe(harness_readiness_probe, deployment.resources, harness_entry)
        # A debugger would stop at the probe, not at the test's input.
        if settings["readiness"] and probe is not None and not settings["debug"]:
            from event_harness.producers import producer_at, producers_for

            all_producers = producers_for(listener, harness_producer_settings)
            producer = producer_at(deployment.resources, all_producers, harness_entry)
            _make_sure_it_is_ready(request.config, deployment, listener, producer, probe)
    follow(request.config, deployment, listener)
    return listener


@pytest.fixture
def listener(request: pytest.FixtureRequest, harness_listener: "Listener") -> "Iterator[Listener]":
    """Awaits results: `listener.wait_for(sent)`. The default timeout of its waits is this test's SLA."""
    marker = request.node.get_closest_marker("sla")
    if marker is None:
        yield harness_listener
        return
    if len(marker.args) != 1 or "seconds" in marker.kwargs:
        pytest.fail(
            "@pytest.mark.sla takes one argument, the seconds: @pytest.mark.sla(5); and percentiles by their"
            " names: @pytest.mark.sla(5, p95=2, samples=100)",
            pytrace=False,
        )
    with plain_errors():
        timed = harness_listener.with_sla(parse(BY_NAME["sla"], str(marker.args[0]), "@pytest.mark.sla"))
        measuring = timed.with_claims("@pytest.mark.sla", **marker.kwargs)
    yield measuring
    if measuring.limits and not measuring.measured:
        pytest.fail(
            f"@pytest.mark.sla gives {', '.join(measuring.limits)}, but the test measures nothing:"
            " call listener.measure(producer, bodies)",
            pytrace=False,
        )


@pytest.fixture
def faults(
    request: pytest.FixtureRequest, deployment: "DeployedSystem", harness_listener: "Listener"
) -> "Iterator[Faults]":
    """Faults on purpose, on the local AWS emulator: `with faults.throttle("dynamodb", rate=0.3):`.

    Nothing of them stays after the `with`, and nothing after the test.
    """
    from event_harness.faults.control import FrontControl
    from event_harness.faults.faults import Faults

    with plain_errors():
        found = Faults(
            FrontControl(deployment.target),
            deployment.resources,
            harness_listener.session_id,
            shared=getattr(request.config, "workerinput", {}).get("workercount", 1) > 1,
            seed=request.node.nodeid,
            say=lambda line: say(request.config, line),
        )
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="session")
def producers(
    harness_listener: "Listener", harness_producer_settings: Mapping[str, Mapping[str, Any]]
) -> "Mapping[str, Producer]":
    """The producers of all components that take inputs, by component name."""
    from event_harness.producers import producers_for

    with plain_errors():
        return producers_for(harness_listener, harness_producer_settings)


@pytest.fixture(scope="session")
def producer(
    producers: "Mapping[str, Producer]", harness_listener: "Listener", harness_entry: str | None
) -> "Producer":
    """The producer of the component where events enter: `sent = producer.send("a text")`."""
    from event_harness.producers import producer_at

    with plain_errors():
        return producer_at(harness_listener.resources, producers, harness_entry)


def _make_sure_it_is_ready(
    config: pytest.Config, system: "DeployedSystem", listener: "Listener", producer: "Producer", probe: Any
) -> None:
    """Send readiness probes until one comes through, unless one has since the last apply."""
    from event_harness.deployments import readiness
    from event_harness.deployments.journals import journal_directory
    from event_harness.listening.readiness import await_ready

    name = producer.component.name
    directory = journal_directory(system, state_dir(config))
    deployed = bool(system.deployment_id) and directory != state_dir(config)
    if deployed and readiness.is_noted(directory, name, probe):
        return
    took = await_ready(producer, listener, probe, limit=config.stash[SETTINGS_KEY]["readiness"])
    say(config, f"ready: a readiness probe came through in {took:.1f} s")
    if deployed:
        readiness.note(directory, name, probe)


def _readiness_probe(chosen: Any, resources: "ResourceMap", entry: str | None) -> Any:
    """The body of the readiness probe; None for no readiness probe."""
    from event_harness.producers import BY_TYPE

    if not resources.components:
        return None
    if chosen is not DEFAULT_PROBE:
        return chosen
    try:
        return "readiness probe" if resources.entry(BY_TYPE, entry).type == "s3" else None
    except HarnessError:  # events enter at several places: the test chooses
        return None


@contextmanager
def plain_errors() -> Iterator[None]:
    """If a fixture fails, each test that needs it shows one line and no traceback."""
    try:
        with explained():
            yield
    except HarnessError as error:
        failed = pytest.fail.Exception(str(error), pytrace=False)
        setattr(failed, "report", getattr(error, "report", None))  # noqa: B010 (pytest's class has no such)
        setattr(failed, "uncut", uncut(error))  # noqa: B010
        raise failed from None
