import shutil
import subprocess

import pytest

from event_harness.machine import git_exclude

GIT = shutil.which("git")
NAMES = ("~generated.tf.json", "other.tf.json")


@pytest.fixture
def root(tmp_path):
    """A directory in a repository."""
    subprocess.run([GIT, "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "live").mkdir()
    for name in NAMES:
        (tmp_path / "live" / name).touch()
    return tmp_path / "live"


def status(root):
    done = subprocess.run(
        [GIT, "status", "--porcelain", "-uall"], cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_hidden_files_are_no_changes_to_git(root):
    (root / "mine.tf").touch()
    git_exclude.hide(root, NAMES)
    git_exclude.hide(root, NAMES)
    assert status(root) == ["?? live/mine.tf"]


def test_nothing_is_left_of_it_in_the_repository(root):
    exclude = root.parent / ".git/info/exclude"
    before = exclude.read_text()
    git_exclude.hide(root, NAMES)
    git_exclude.show(root, NAMES)
    assert exclude.read_text() == before
    assert len(status(root)) == 2


def test_outside_of_a_repository_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    git_exclude.hide(tmp_path, NAMES)
    assert list(tmp_path.iterdir()) == []


def test_without_git_nothing_happens(root, monkeypatch):
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    monkeypatch.setenv("PATH", "")
    git_exclude.hide(root, NAMES)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
