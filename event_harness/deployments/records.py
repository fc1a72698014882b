"""The records of all deployments of a project."""

import os
from collections.abc import Iterator
from pathlib import Path

from event_harness.deployments.record import DEPLOYMENTS, DeploymentRecord
from event_harness.errors import SweepError


def directories(state_dir: Path) -> list[Path]:
    """The directories of all deployments of a project, oldest first.

    Raises:
        SweepError: the project's records can't be read. They must not be taken for none.
    """
    where = state_dir / DEPLOYMENTS
    try:
        return sorted(Path(entry.path) for entry in os.scandir(where) if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SweepError(
            f"the records in {where} can't be read: {error.strerror}; run this as the user who owns them"
        ) from error


def recorded(state_dir: Path) -> Iterator[DeploymentRecord]:
    """Every deployment with a readable record, oldest first."""
    for directory in directories(state_dir):
        try:
            yield DeploymentRecord.load(directory)
        except (OSError, ValueError):
            continue  # see `unrecorded`
