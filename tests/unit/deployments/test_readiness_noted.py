import pytest

from event_harness.deployments import readiness


@pytest.mark.parametrize("probe", ["a text", b"\x00\xff", {"to": "Ada", "n": 1}, ["1"], 1.5])
def test_probe_that_came_through_is_noted(tmp_path, probe):
    assert not readiness.is_noted(tmp_path, "inbox", probe)
    readiness.note(tmp_path, "inbox", probe)
    assert readiness.is_noted(tmp_path, "inbox", probe)


@pytest.mark.parametrize(
    ("component", "probe"), [("outbox", "616c"), ("inbox", "a text"), ("inbox", b"al"), ("inbox", ["616c"])]
)
def test_another_probe_must_come_through_itself(tmp_path, component, probe):
    readiness.note(tmp_path, "inbox", "616c")
    assert not readiness.is_noted(tmp_path, component, probe)


def test_an_apply_asks_for_a_new_probe(tmp_path):
    readiness.note(tmp_path, "inbox", "a text")
    readiness.forget(tmp_path)
    readiness.forget(tmp_path)
    assert not readiness.is_noted(tmp_path, "inbox", "a text")


def test_a_deployment_that_is_gone_is_no_error(tmp_path):
    readiness.note(tmp_path / "gone", "inbox", "a text")
    assert not readiness.is_noted(tmp_path / "gone", "inbox", "a text")
