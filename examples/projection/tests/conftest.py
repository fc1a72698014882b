"""What the harness can't know of this system."""

import pytest


@pytest.fixture(scope="session")
def harness_readiness_probe():
    return {"name": "Probe", "email": "probe@example.com"}
