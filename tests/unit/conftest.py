"""Unit tests use Python and temporary files only: opening a socket fails."""

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket

# How long an example takes says nothing: the machine may be slow.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _no_socket() -> None:
    disable_socket(allow_unix_socket=True)
