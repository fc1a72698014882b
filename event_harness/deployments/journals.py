"""Where a system's journal is, and what a second process needs to follow its events."""

import contextlib
from pathlib import Path

from event_harness.deployments.record import DEPLOYMENTS
from event_harness.errors import HarnessError
from event_harness.machine.cache import write_atomically
from event_harness.system.deployed_system import DeployedSystem
from event_harness.tracing.journal import Journal, open_journal

SYSTEM = "system.json"


def journal_directory(system: DeployedSystem, state_dir: Path) -> Path:
    """The directory of a system's journal: that of its deployment, or of the records if it has none."""
    deployment = state_dir / DEPLOYMENTS / system.deployment_id
    return deployment if system.deployment_id and deployment.is_dir() else state_dir


def journal_for(
    system: DeployedSystem, state_dir: Path, session_id: str, *, bodies: bool = False, create: bool = False
) -> Journal:
    """Open the journal of a test session.

    Args:
        system: The system under test.
        state_dir: The directory of the records.
        session_id: The test session.
        bodies: Record the beginning of each body, too.
        create: Create the directory of the records if it isn't there. Nothing is recorded without it.
    """
    directory = journal_directory(system, state_dir)
    with contextlib.suppress(OSError):
        if create and not directory.is_dir():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            (directory / ".gitignore").write_text("*\n")
        if directory.is_dir():
            return open_journal(directory, session_id, bodies=bodies)
    return Journal(None, session_id)


def publish(system: DeployedSystem, state_dir: Path) -> None:
    """Let other processes find a deployed system: they must not wait for terraform to describe it.

    The file lies beside the state, which holds the same outputs.
    """
    directory = journal_directory(system, state_dir)
    if system.deployment_id and directory != state_dir:
        with contextlib.suppress(OSError):
            write_atomically(directory / SYSTEM, system.to_json(), mode=0o600)


def published(directory: Path) -> DeployedSystem | None:
    """The system that `publish` has described in a deployment's directory; None if it has not.

    Raises:
        HarnessError: Its target can't be reached.
    """
    try:
        return DeployedSystem.from_json((directory / SYSTEM).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, HarnessError):
            raise
        return None
