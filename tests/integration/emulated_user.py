"""Works as a user of an emulator that enforces policies, not as the root user.

As a pytest plugin (`-p emulated_user`) it does so for a whole test session.
"""

import os

import pytest

from event_harness.terraform.provider_3_39 import settings as provider_3_39

ACCESS_KEY, SECRET_KEY = "EMULATED_ACCESS_KEY", "EMULATED_SECRET_KEY"


def work_as(user: dict[str, str], patch: pytest.MonkeyPatch) -> None:
    """Give the user's access key to all clients and to terraform.

    Args:
        user: The key, by the two names above.
        patch: Restores the former key.
    """
    patch.setattr("event_harness.aws.targets.ACCESS_KEY", user[ACCESS_KEY])
    patch.setattr("event_harness.aws.targets.SECRET_KEY", user[SECRET_KEY])
    settings = provider_3_39.for_emulator
    keys = {"access_key": user[ACCESS_KEY], "secret_key": user[SECRET_KEY]}
    patch.setattr(provider_3_39, "for_emulator", lambda url: settings(url) | keys)


def pytest_configure(config: pytest.Config) -> None:
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    work_as(dict(os.environ), patch)
