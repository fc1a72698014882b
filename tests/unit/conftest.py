"""Unit tests use Python and temporary files only: opening a socket fails."""

import os

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket

# How long an example takes says nothing: the machine may be slow. The examples are always the same, so that a
# change fails by itself and not by chance; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("explore"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True)
def _no_socket() -> None:
    disable_socket(allow_unix_socket=True)
