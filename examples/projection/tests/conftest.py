"""Settings of the harness for this system."""

import pytest


@pytest.fixture(scope="session")
def harness_readiness_probe():
    return {"name": "Probe", "email": "probe@example.com"}
