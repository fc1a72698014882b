"""The demonstration's verdict: 0 only if the text came back right and nothing is left."""

import types

import pytest

from demo import __main__ as demo
from event_harness.errors import HarnessError


class FakeSession:
    """Deploys nothing, and counts what it was told to take down."""

    destroyed = closed = 0
    record = types.SimpleNamespace(own_emulator=False)

    def __init__(self, *_settings, **_more):
        type(self).made = self

    def system(self):
        return types.SimpleNamespace(deployment_id="r1", target=None)

    def destroy(self):
        self.destroyed += 1

    def close(self):
        self.closed += 1


@pytest.fixture(autouse=True)
def _nothing_is_deployed(monkeypatch):
    monkeypatch.setattr(demo, "Session", FakeSession)


@pytest.mark.parametrize(
    ("right", "left", "code"),
    [(True, [], 0), (True, ["queue"], 1), (False, [], 1), (False, ["queue"], 1)],
)
def test_only_a_right_text_and_nothing_left_are_a_success(monkeypatch, capsys, right, left, code):
    monkeypatch.setattr(demo, "_send_and_compare", lambda *_: right)
    monkeypatch.setattr(demo, "inventory", lambda _target, part: left if part == "r1" else [])
    assert demo._run("text", None, None) == code
    assert ("FAILED" in capsys.readouterr().out) == bool(code)
    assert (FakeSession.made.destroyed, FakeSession.made.closed) == (1, 1)


def test_everything_on_an_emulator_of_its_own_counts_as_left(monkeypatch):
    monkeypatch.setattr(FakeSession, "record", types.SimpleNamespace(own_emulator=True))
    monkeypatch.setattr(demo, "_send_and_compare", lambda *_: True)
    monkeypatch.setattr(demo, "inventory", lambda _target, part: [] if part else ["queue"])
    assert demo._run("text", None, None) == 1


def test_way_that_breaks_off_is_told_in_one_line_and_taken_down(monkeypatch, capsys):
    def breaks(*_):
        raise HarnessError("no result")

    monkeypatch.setattr(demo, "_send_and_compare", breaks)
    monkeypatch.setattr("sys.argv", ["demo"])
    assert demo.main() == 1
    assert capsys.readouterr().err == "demo: no result\n"
    assert FakeSession.made.closed == 1


def test_file_that_cannot_be_written_after_all_is_one_line(tmp_path):
    with pytest.raises(HarnessError, match="can't be written: No such file or directory; give another"):
        demo._write(tmp_path / "gone" / "out.txt", b"")


def test_settings_of_the_plugin_count_but_those_of_a_system_that_stays(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\nharness_sla = "7"\nharness_var = ["a=1", "b=2"]\nharness_keep = "true"\n'
    )
    environ = {"EVENT_HARNESS_REGION": "eu-west-3", "EVENT_HARNESS_KEEP": "1", "EVENT_HARNESS_REUSE": "last"}
    found = demo.settings(tmp_path, environ)
    assert (found["sla"], found["region"], found["var"]) == (7.0, "eu-west-3", {"a": "1", "b": "2"})
    assert (found["keep"], found["reuse"]) == (False, None)
