"""The copy of a large directory is used by the next deployment, and is then as a new copy would be."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from event_harness.terraform import spares, view
from event_harness.terraform.copying import NEVER_READ
from event_harness.terraform.spares import Spares

LARGE = 12  # files


@pytest.fixture(autouse=True)
def small_budget(monkeypatch):
    """Files take a while to make, so a directory counts as large sooner."""
    monkeypatch.setattr(view, "_FILES", LARGE // 2)


@pytest.fixture
def project(tmp_path):
    """A root whose program may write anywhere, beside a large directory."""
    root = tmp_path / "project"
    (root / "data/below").mkdir(parents=True)
    (root / "main.tf").write_text('data "external" "e" {\n}\n')
    for number in range(LARGE):
        (root / "data" / f"{number}").write_text(f"file {number}")
    (root / "data/below/script").write_text("#!/bin/sh\n")
    (root / "data/below/script").chmod(0o755)
    (root / "data/link").symlink_to("7")
    (root / "data/below/up").symlink_to("../8")
    return root


class Deployments:
    """Makes the views of one project, one after another."""

    def __init__(self, project, tmp_path):
        self.project, self.tmp_path, self.number = project, tmp_path, 0

    @property
    def directory(self):
        return self.tmp_path / f"deployment-{self.number}"

    @property
    def data(self):
        return self.made.root / "data"

    def start(self):
        self.number += 1
        self.directory.mkdir()
        self.made = view.make(
            self.project,
            self.directory / "config",
            spares=Spares(self.tmp_path / "store", self.directory / "spares.json"),
        )
        return self.data

    def end(self):
        spares.keep(self.directory / "spares.json")
        shutil.rmtree(self.directory)


@pytest.fixture
def deployments(project, tmp_path):
    return Deployments(project, tmp_path)


def tree(directory):
    """All that a directory holds: kinds, modes, times and contents."""
    found = {}
    for path in directory.rglob("*"):
        about = path.lstat()
        text = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        mode = 0 if path.is_symlink() else stat.S_IMODE(about.st_mode)
        changed_at = about.st_mtime_ns if path.is_file() and not path.is_symlink() else 0
        found[str(path.relative_to(directory))] = (stat.S_IFMT(about.st_mode), mode, changed_at, text)
    return found


def inodes(directory):
    """What tells a file from a new one, which may have got the number of one that was deleted."""
    files = {path.name: path.stat() for path in directory.iterdir() if path.is_file()}
    return {name: (about.st_ino, about.st_ctime_ns) for name, about in files.items()}


def stored(tmp_path):
    return list((tmp_path / "store").iterdir()) if (tmp_path / "store").exists() else []


def test_copy_of_a_large_directory_is_used_again(deployments, project, tmp_path):
    before = inodes(deployments.start())
    deployments.end()
    assert len(stored(tmp_path)) == 1
    data = deployments.start()
    assert inodes(data) == before
    assert stored(tmp_path) == []
    assert tree(data) == tree(project / "data")
    files = {Path(file.place) for file in deployments.made.files}
    assert files >= {path for path in data.rglob("*") if path.is_file() and not path.is_symlink()}


def replaced_by_a_link(data):
    (data / "1").unlink()
    (data / "1").symlink_to("2")


def same_size_and_time(directory):
    about = (directory / "1").stat()
    (directory / "1").write_text("elif 1")
    os.utime(directory / "1", ns=(about.st_atime_ns, about.st_mtime_ns))


def moved(directory):
    (directory / "1").rename(directory / "1.old")
    (directory / "2").rename(directory / "1")


def directory_for_a_file(directory):
    (directory / "1").unlink()
    (directory / "1").mkdir()
    (directory / "1/inside").write_text("new")


CHANGES = {
    "written": lambda data: (data / "1").write_text("changed"),
    "written with its size and time": same_size_and_time,
    "deleted": lambda data: (data / "1").unlink(),
    "added": lambda data: (data / "new").write_text("new"),
    "added directory": lambda data: shutil.copytree(data / "below", data / "more"),
    "deleted directory": lambda data: shutil.rmtree(data / "below"),
    "link for a file": replaced_by_a_link,
    "directory for a file": directory_for_a_file,
    "moved": moved,
    "another mode": lambda data: (data / "1").chmod(0o600),
    "another mode of a directory": lambda data: (data / "below").chmod(0o711),
    "another link": lambda data: ((data / "link").unlink(), (data / "link").symlink_to("9")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_program_changed_in_the_copy_does_not_survive(deployments, project, change):
    before = tree(project / "data")
    change(deployments.start())
    deployments.end()
    assert tree(deployments.start()) == before == tree(project / "data")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_changed_in_the_project_is_in_the_next_copy(deployments, project, change):
    deployments.start()
    deployments.end()
    change(project / "data")
    assert tree(deployments.start()) == tree(project / "data")


def test_file_that_was_read_counts_as_not_read(deployments, project):
    data = deployments.start()
    os.utime(data / "1", ns=(data.stat().st_mtime_ns, (data / "1").stat().st_mtime_ns))
    deployments.end()
    deployments.start()
    deployments.end()  # the new time is recorded, too
    before = inodes(deployments.start())
    assert (deployments.data / "1").stat().st_atime_ns == NEVER_READ
    deployments.end()
    assert inodes(deployments.start()) == before


def test_second_deployment_at_once_makes_a_copy_of_its_own(deployments, project, tmp_path):
    deployments.start()
    deployments.end()
    first = inodes(deployments.start())
    deployments.number += 1
    second = deployments.start()
    assert not set(inodes(second).values()) & set(first.values())
    assert tree(second) == tree(project / "data")
    deployments.end()
    deployments.number -= 2
    deployments.end()  # one is kept, the other deleted
    assert len(stored(tmp_path)) == 1


@pytest.mark.parametrize("text", ["", "[]", "{", '{"1": [1]}'])
def test_damaged_spare_copy_is_not_believed(deployments, project, tmp_path, text):
    changed = deployments.start() / "1"
    changed.write_text("changed")
    deployments.end()
    (home,) = stored(tmp_path)
    (home / "stamps.json").write_text(text)
    assert tree(deployments.start()) == tree(project / "data")


def test_deployment_that_was_killed_while_it_copied_leaves_nothing(deployments, tmp_path):
    deployments.start()
    (deployments.directory / "spares.json").unlink()  # it is written when all is copied
    deployments.end()
    assert stored(tmp_path) == []


def test_store_on_another_disk_is_no_error(deployments, project, tmp_path, monkeypatch):
    deployments.start()
    rename = os.rename

    def refused(source, target):
        if Path(target).name == "files":
            raise OSError(18, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refused)
    deployments.end()
    assert stored(tmp_path) == []
    assert tree(deployments.start()) == tree(project / "data")


def test_spare_copies_that_nobody_took_for_a_week_are_deleted(deployments, tmp_path):
    old = tmp_path / "store/old"
    old.mkdir(parents=True)
    os.utime(old, (1, 1))
    deployments.start()
    deployments.end()
    assert [home.name == "old" for home in stored(tmp_path)] == [False]


def test_record_holds_the_stamps_of_each_copied_file(deployments):
    deployments.start()
    (one,) = json.loads((deployments.directory / "spares.json").read_text())
    assert len(one["stamps"]) == LARGE + 1
