"""Where the tests keep their temporary files."""

import os
import subprocess
import sys

import pytest

from tests import in_memory


@pytest.fixture(autouse=True)
def _not_named(monkeypatch):
    monkeypatch.delenv(in_memory.VARIABLE, raising=False)


def test_session_gets_a_directory_of_its_own_and_leaves_nothing(tmp_path):
    root = in_memory.begin(tmp_path, needed=0)
    assert root == tmp_path / f"eh-tests-{os.getpid()}"
    assert os.environ[in_memory.VARIABLE] == str(root)
    (root / "file").write_text("x")
    in_memory.end(root)
    assert list(tmp_path.iterdir()) == []
    assert in_memory.VARIABLE not in os.environ


def test_what_an_ended_session_has_left_is_deleted_and_what_another_uses_is_not(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, used = (tmp_path / f"eh-tests-{pid}" for pid in (gone.pid, os.getppid()))
    for one in (left, used):
        (one / "deep").mkdir(parents=True)
    in_memory.begin(tmp_path, needed=0)
    assert not left.exists()
    assert used.exists()


def test_directory_that_the_user_has_named_stays(tmp_path, monkeypatch):
    monkeypatch.setenv(in_memory.VARIABLE, "elsewhere")
    assert in_memory.begin(tmp_path, needed=0) is None
    assert os.environ[in_memory.VARIABLE] == "elsewhere"


@pytest.mark.parametrize("name", ["missing", "."])
def test_no_directory_in_memory_or_too_little_of_it_changes_nothing(tmp_path, name):
    needed = 0 if name == "missing" else 2**60
    assert in_memory.begin(tmp_path / name, needed) is None
    assert in_memory.VARIABLE not in os.environ
