"""What the harness can't know of this system."""

import pytest


@pytest.fixture(scope="session")
def harness_canary():
    return {"name": "Canary", "email": "canary@example.com"}
