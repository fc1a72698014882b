"""A private directory for temporary files whose path is short enough for sockets."""

import os
import shutil
import stat
import subprocess
import sys
import threading

import pytest

from event_harness.errors import MachineError
from event_harness.machine import temporary


@pytest.fixture
def long(tmp_path, monkeypatch):
    """A place whose path is too long for sockets; the system's temporary files are in `system`."""
    (tmp_path / "system").mkdir()
    monkeypatch.setattr(temporary.tempfile, "tempdir", str(tmp_path / "system"))
    place = tmp_path / ("x" * 80)
    place.mkdir()
    return place / "tmp"


@pytest.fixture
def short(monkeypatch):
    """A place whose path is short enough, wherever the tests run."""
    monkeypatch.setattr(temporary, "_LONGEST", 1000)


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def test_directory_lies_where_it_is_asked_for_and_is_private(tmp_path, short):
    assert temporary.make(tmp_path / "tmp") == tmp_path / "tmp"
    assert mode(tmp_path / "tmp") == 0o700
    temporary.delete(tmp_path / "tmp")
    assert list(tmp_path.iterdir()) == []


def test_directory_of_a_long_path_lies_elsewhere_under_a_name_that_nobody_can_guess(long, tmp_path):
    made = temporary.make(long)
    assert made.parent == tmp_path / "system"
    assert made != temporary.make(long.with_name("other"))
    assert mode(made) == 0o700
    assert temporary.make(long) == temporary.path(long) == made
    (made / "file").touch()
    temporary.delete(long)
    assert not made.exists()
    assert not long.is_symlink()


def test_directory_whose_link_is_gone_is_deleted_unless_a_process_uses_it(long, tmp_path):
    """The link goes with the records of a deployment, as by `git clean`."""
    linked, lost, used = (temporary.make(long.with_name(name)) for name in ("linked", "lost", "used"))
    (tmp_path / "system" / "event-harness-of-another-program").mkdir()
    for name in ("lost", "used"):
        long.with_name(name).unlink()
    command = [sys.executable, "-c", "print('runs', flush=True); input()"]
    with subprocess.Popen(
        command, env={"TMPDIR": str(used)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "runs\n"
        temporary.delete_lost()
        assert not lost.exists()
        assert linked.exists()
        assert used.exists()
        process.communicate("\n")
    temporary.delete_lost()
    assert {path.name for path in (tmp_path / "system").iterdir()} == {
        linked.name,
        "event-harness-of-another-program",
    }


def test_directory_in_use_is_never_taken_for_a_lost_one_while_it_is_asked_for(long):
    """Each command of terraform asks for it, and sweeps of other projects look at it at any time."""
    made = temporary.make(long)
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            temporary.make(long)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(300):
            temporary.delete_lost()
            assert made.is_dir()
    finally:
        stop.set()
        thread.join()
    assert temporary.make(long) == made


def test_directory_of_a_project_that_was_moved_is_not_lost_once_it_is_asked_for(long):
    made = temporary.make(long)
    moved = long.with_name("moved")
    long.rename(moved)
    assert temporary.make(moved) == made
    temporary.delete_lost()
    assert made.is_dir()


def test_directory_that_others_can_open_is_refused(long):
    temporary.make(long).chmod(0o755)
    with pytest.raises(MachineError, match="is not a private directory of this user"):
        temporary.make(long)


def test_directory_of_another_user_is_refused_and_kept(long, monkeypatch):
    made = temporary.make(long)
    monkeypatch.setattr(os, "getuid", lambda: made.stat().st_uid + 1)
    with pytest.raises(MachineError, match="is not a private directory of this user"):
        temporary.make(long)
    temporary.delete(long)
    assert made.is_dir()


def test_link_that_somebody_has_put_in_its_place_is_refused(long, tmp_path):
    """The system may clear its temporary files while a deployment is kept."""
    made = temporary.make(long)
    shutil.rmtree(made)
    made.symlink_to(tmp_path)
    with pytest.raises(MachineError, match="is not a private directory of this user"):
        temporary.make(long)
