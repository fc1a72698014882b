"""Settings of the harness for this system."""

import pytest


@pytest.fixture(scope="session")
def harness_producer_settings():
    """Use the order id as the correlation id: the system copies it to its output."""
    return {"placed": {"field": "order_id"}}


@pytest.fixture(scope="session")
def harness_readiness_probe():
    return {"lines": [{"sku": "readiness probe", "quantity": 1, "price": "0.01"}]}
