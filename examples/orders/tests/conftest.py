"""What the harness can't know of this system."""

import pytest


@pytest.fixture(scope="session")
def harness_producer_settings():
    """The correlation id of a test is the id of its order, which the system passes on anyway."""
    return {"placed": {"field": "order_id"}}


@pytest.fixture(scope="session")
def harness_readiness_probe():
    return {"lines": [{"sku": "readiness probe", "quantity": 1, "price": "0.01"}]}
