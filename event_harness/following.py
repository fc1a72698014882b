"""Lets people follow the events of a test session: the journal, and the line about waits that last."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from event_harness.plugin_process import SETTINGS_KEY, STATUS_KEY

if TYPE_CHECKING:  # a project that doesn't use the harness must not wait for boto3 and tftest
    from event_harness.listening.listener import Listener
    from event_harness.results.result import Result
    from event_harness.system.deployed_system import DeployedSystem
    from event_harness.tracing.journal import Recorded
    from event_harness.tracing.timeline import Timeline


GROUP_KEY = pytest.StashKey[str]()
"""The id of this pytest session: all its processes have the same."""
FOLLOWED_KEY = pytest.StashKey[tuple["Recorded", Callable[[str], "list[Result]"]]]()
"""What this process has recorded, and what returns the results of an input that it has read."""


def join_group(config: pytest.Config) -> None:
    """Give this process the id of its pytest session: a worker has its controller's."""
    given = getattr(config, "workerinput", {}).get("event_harness_group")
    config.stash[GROUP_KEY] = given or uuid.uuid4().hex


def state_dir(config: pytest.Config) -> Path:
    """Where this project's deployments are recorded."""
    return config.rootpath / str(config.stash[SETTINGS_KEY]["state_dir"])


def follow(config: pytest.Config, system: "DeployedSystem", listener: "Listener") -> None:
    """Record what a listener's session does from now on. What it has sent so far were readiness probes."""
    from event_harness.deployments.journals import journal_for
    from event_harness.tracing.journal import Recorded

    settings = config.stash[SETTINGS_KEY]
    journal = journal_for(
        system,
        state_dir(config),
        listener.session_id,
        bodies=settings["report_bodies"],
        create=bool(settings["report"] or settings["otlp"]),
    )
    recorded = Recorded()
    journal.also.append(lambda line: recorded.take([line]))
    journal.begins(listener.sla, system.target.endpoint_url or system.target.name, config.stash[GROUP_KEY])
    journal.ignored(listener.inflight.ids.given)
    listener.journal = journal
    config.stash[FOLLOWED_KEY] = (recorded, listener.reader.of)
    if STATUS_KEY in config.stash:
        _show_waits(config, system, listener, recorded)


def _show_waits(
    config: pytest.Config, system: "DeployedSystem", listener: "Listener", recorded: "Recorded"
) -> None:
    from event_harness.listening.wait_line import WaitLine
    from event_harness.machine.clock import timestamp
    from event_harness.tracing.tracer import Tracer

    tracer = Tracer(system.resources, system.target, recorded, timestamp())

    def trace() -> "list[Timeline]":
        """Look once, and return the ways of all events."""
        tracer.look()
        return tracer.timelines(listener.reader.all(), listener.failures.all())

    listener.wait_line = WaitLine(trace, config.stash[STATUS_KEY].show)
