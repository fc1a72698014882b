"""A port that a session has chosen is not chosen again, although nobody listens on it yet."""

import multiprocessing
import os

import pytest

from event_harness.machine import port_claims
from event_harness.machine.port_claims import PortClaims

PORT = 5678


@pytest.fixture
def listened(tmp_path, monkeypatch):
    """The ports on which somebody listens."""
    ports = set()
    monkeypatch.setenv("EVENT_HARNESS_CACHE", str(tmp_path))
    monkeypatch.setattr(port_claims, "is_free", lambda port: port not in ports)
    return ports


@pytest.fixture
def claims(listened):
    made = [PortClaims() for _ in range(2)]
    yield made
    for one in made:
        one.release()


def test_port_is_claimed_once_until_it_is_released(claims):
    first, second = claims
    assert first.claim(PORT)
    assert not first.claim(PORT)
    assert not second.claim(PORT)
    assert second.claim(PORT + 1)
    first.release()
    assert second.claim(PORT)


def test_port_on_which_somebody_listens_is_not_claimed(claims, listened):
    first, second = claims
    listened.add(PORT)
    assert not first.claim(PORT)
    listened.clear()
    assert second.claim(PORT)


def claims_and_ends(claimed):
    port_claims.is_free = lambda _port: True
    claims = PortClaims()
    claimed.put(claims.claim(PORT))
    claimed.close()
    claimed.join_thread()
    os._exit(0)  # nothing is released


def test_claim_ends_with_its_process(claims):
    context = multiprocessing.get_context("spawn")
    claimed = context.Queue()
    process = context.Process(target=claims_and_ends, args=(claimed,))
    process.start()
    assert claimed.get(timeout=120)
    process.join()
    assert claims[0].claim(PORT)
