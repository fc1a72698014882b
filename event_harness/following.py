"""Lets people follow the events of a test session: the journal, and the line about waits that last."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from event_harness.plugin_process import SETTINGS_KEY, STATUS_KEY

if TYPE_CHECKING:  # a project that doesn't use the harness must not wait for boto3 and tftest
    from event_harness.listening.listener import Listener
    from event_harness.system.deployed_system import DeployedSystem
    from event_harness.tracing.timeline import Timeline


def state_dir(config: pytest.Config) -> Path:
    """Where this project's deployments are recorded."""
    return config.rootpath / str(config.stash[SETTINGS_KEY]["state_dir"])


def follow(config: pytest.Config, system: "DeployedSystem", listener: "Listener") -> None:
    """Record what a listener's session does from now on. What it has sent so far were readiness probes."""
    from event_harness.deployments.journals import journal_for

    journal = journal_for(system, state_dir(config), listener.session_id)
    journal.begins(listener.sla, system.target.endpoint_url or system.target.name)
    journal.ignored(listener.inflight.ids.given)
    listener.journal = journal
    if STATUS_KEY in config.stash:
        _show_waits(config, system, listener)


def _show_waits(config: pytest.Config, system: "DeployedSystem", listener: "Listener") -> None:
    from event_harness.listening.wait_line import WaitLine
    from event_harness.machine.clock import timestamp
    from event_harness.tracing.journal import Recorded
    from event_harness.tracing.tracer import Tracer

    recorded = Recorded()
    listener.journal.also.append(lambda line: recorded.take([line]))
    tracer = Tracer(system.resources, system.target, recorded, timestamp())

    def trace() -> "list[Timeline]":
        tracer.look()
        return tracer.timelines(listener.reader.all(), listener.failures.all())

    listener.wait_line = WaitLine(trace, config.stash[STATUS_KEY].show)
