"""The report of a demonstration: the same page as of a test session."""

import uuid
from pathlib import Path

from event_harness.deployments.deployment import Deployment
from event_harness.deployments.journals import journal_directory, journal_for
from event_harness.deployments.session import Session
from event_harness.listening.listener import Listener
from event_harness.machine.clock import timestamp
from event_harness.reporting import history, output
from event_harness.reporting.evidence import Evidence, gather
from event_harness.reporting.facts import build
from event_harness.reporting.session_facts import SessionFacts, TestFacts, durations
from event_harness.reporting.versions import versions
from event_harness.system.deployed_system import DeployedSystem

NAME = "make demo"


class DemoReport:
    """Gathers the facts of a demonstration and writes its report.

    Args:
        session: The session of the demonstration.
        directory: Where to write the report.
    """

    def __init__(self, session: Session, directory: Path) -> None:
        self._session = session
        self._directory = directory
        self._group = uuid.uuid4().hex
        self._began = timestamp()
        self._sent = self._ended = self._began
        self._evidence = Evidence()
        self._deployment: Deployment | None = None
        self._versions = versions()

    def follow(self, system: DeployedSystem, listener: Listener) -> None:
        """Record what the listener's session does."""
        self._sent = timestamp()
        journal = journal_for(system, self._session.state_dir, listener.session_id)
        journal.name_test(NAME)
        journal.begins(listener.sla, system.target.name, self._group)
        listener.journal = journal

    def gather(self, system: DeployedSystem) -> None:
        """Read what is known of the event, while the deployment is there."""
        self._ended = timestamp()
        self._deployment = self._session.deployment
        self._versions |= self._deployment.versions() if self._deployment else {}
        directory = journal_directory(system, self._session.state_dir)
        self._evidence = gather(system, directory, self._group, self._began)

    def write(self, system: DeployedSystem, *, right: bool) -> Path:
        """Write the report after the end of the deployment; return the path of the page."""
        outcome = "passed" if right else "failed"
        took = round(self._ended - self._sent, 3)
        error = "" if right else "the text did not come back exactly right"
        record = self._deployment.record if self._deployment else None
        facts = build(
            SessionFacts(
                outcome=outcome,
                started_at=round(self._began, 3),
                ended_at=round(timestamp(), 3),
                target="local",
                region=system.target.region,
                deployment_id=system.deployment_id,
                sla=60,
                versions=self._versions,
                durations=durations(record, self._sent, self._ended),
            ),
            [TestFacts(NAME, outcome, took, error)],
            self._evidence,
        )
        facts["history"] = history.read(self._session.state_dir)
        return output.write(facts, self._directory)
