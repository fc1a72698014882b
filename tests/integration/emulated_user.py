"""Works as a user of an emulator that enforces policies, not as the root user.

As a pytest plugin (`-p emulated_user`) it does so for a whole test session.
"""

import os
from dataclasses import replace

import pytest

from event_harness.aws import running
from event_harness.aws.credentials import Credentials

ACCESS_KEY, SECRET_KEY = "EMULATED_ACCESS_KEY", "EMULATED_SECRET_KEY"


def work_as(user: dict[str, str], patch: pytest.MonkeyPatch) -> None:
    """Give the user's access key to all clients and to terraform.

    Args:
        user: The key, by the two names above.
        patch: Restores the former key.
    """
    credentials = Credentials(user[ACCESS_KEY], user[SECRET_KEY])
    at_port = running.at_port

    def with_the_users_key(port: int) -> running.Running | None:
        found = at_port(port)
        return found and replace(found, credentials=credentials)

    patch.setattr(running, "at_port", with_the_users_key)


def pytest_configure(config: pytest.Config) -> None:
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    work_as(dict(os.environ), patch)
