"""The cache directory of a user without a home directory, as in a container with any uid."""

import pytest

from event_harness.errors import ToolchainError
from event_harness.machine import cache


def test_user_without_a_home_directory_is_told_what_to_set(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", _nobody)
    with pytest.raises(ToolchainError, match=r"no home directory.*set HOME, or .* EVENT_HARNESS_CACHE$"):
        cache.cache_directory({})


def _nobody(_uid):
    raise KeyError("getpwuid(): uid not found")
