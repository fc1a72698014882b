"""Working as a user of an emulator that enforces policies, instead of as its root.

As a pytest plugin, `-p emulated_user`, it makes a whole session do so.
"""

import os

import pytest

from event_harness.terraform import overrides

ACCESS_KEY, SECRET_KEY = "EMULATED_ACCESS_KEY", "EMULATED_SECRET_KEY"


def work_as(user: dict[str, str], patch: pytest.MonkeyPatch) -> None:
    """Give clients and terraform the user's access key.

    Args:
        user: the key, by the two names above.
        patch: undoes it.
    """
    patch.setattr("event_harness.aws.targets.ACCESS_KEY", user[ACCESS_KEY])
    patch.setattr("event_harness.aws.targets.SECRET_KEY", user[SECRET_KEY])
    settings = overrides._old_provider_settings
    keys = {"access_key": user[ACCESS_KEY], "secret_key": user[SECRET_KEY]}
    patch.setattr(overrides, "_old_provider_settings", lambda url: settings(url) | keys)


def pytest_configure(config: pytest.Config) -> None:
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    work_as(dict(os.environ), patch)
