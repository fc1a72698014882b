import io
import json
import threading
import urllib.error
import urllib.request

import pytest

from event_harness.terraform import registry
from event_harness.terraform.registry import reachable


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def ask(tmp_path):
    clock, asked = Clock(), []

    def question(answer, *, later=0.0, kind="terraform"):
        clock.now += later
        before = len(asked)

        def probe(host):
            asked.append(host)
            return answer

        return reachable(kind, tmp_path, probe=probe, clock=clock), asked[before:]

    return question


def test_answer_is_remembered_for_a_while(ask):
    assert ask(False) == (False, ["registry.terraform.io"])
    assert ask(True, later=299) == (False, [])
    assert ask(True, later=2) == (True, ["registry.terraform.io"])
    assert ask(False, later=3599) == (True, [])
    assert ask(False, later=2) == (False, ["registry.terraform.io"])


def test_each_kind_has_its_own_registry(ask):
    ask(True)
    assert ask(False, kind="tofu") == (False, ["registry.opentofu.org"])


def test_clock_that_went_back_makes_it_ask_again(ask):
    ask(False)
    assert ask(True, later=-10) == (True, ["registry.terraform.io"])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"reachable": true}', '{"reachable": 1, "asked_at": "x"}']
)
def test_memory_that_can_not_be_read_makes_it_ask_again(tmp_path, text):
    (tmp_path / "registry.terraform.io.json").write_text(text)
    assert reachable("terraform", tmp_path, probe=lambda host: True)
    assert json.loads((tmp_path / "registry.terraform.io.json").read_text())["reachable"] is True


def test_probe_that_hangs_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "PATIENCE", 0.01)
    release = threading.Event()
    try:
        assert not reachable("terraform", tmp_path, probe=lambda host: release.wait(60))
    finally:
        release.set()


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        (b'{"providers.v1": "/v1/providers/"}', True),
        (b'{"modules.v1": "/v1/modules/"}', False),
        (b"<html>log in to this wireless network</html>", False),
        (urllib.error.URLError("no route"), False),
        (TimeoutError("slow"), False),
    ],
)
def test_only_a_registrys_own_document_counts(monkeypatch, document, answer):
    def open_url(url, timeout):
        if isinstance(document, Exception):
            raise document
        return io.BytesIO(document)

    monkeypatch.setattr(urllib.request, "urlopen", open_url)
    assert registry._discovers("registry.terraform.io") is answer
