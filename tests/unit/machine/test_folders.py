"""Folders that sessions share, made and deleted while others do the same."""

import errno
import sys
from pathlib import Path

import pytest

from event_harness.machine import folders


def test_folder_is_private_to_its_owner(tmp_path):
    folders.make(tmp_path / "deployments" / "r1")
    assert (tmp_path / "deployments" / "r1").stat().st_mode & 0o777 == 0o700


def test_parent_that_another_session_deletes_meanwhile_is_made_again(tmp_path, monkeypatch):
    made, parent = Path.mkdir, tmp_path / "deployments"

    def mkdir(self, *arguments, **settings):
        made(self, *arguments, **settings)
        if self == parent:
            monkeypatch.setattr(Path, "mkdir", made)
            parent.rmdir()

    monkeypatch.setattr(Path, "mkdir", mkdir)
    folders.make(parent / "r1")
    assert (parent / "r1").is_dir()


def test_folder_that_cannot_be_made_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError))
    with pytest.raises(FileNotFoundError):
        folders.make(tmp_path / "r1")


def test_folder_is_deleted_only_if_it_is_empty(tmp_path):
    full, empty, gone = (tmp_path / name for name in ("full", "empty", "gone"))
    (full / "r1").mkdir(parents=True)
    empty.mkdir()
    for folder in (full, empty, gone):
        folders.delete_if_empty(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_directories_of_a_spread_one_are_placed_anywhere_by_ext4(tmp_path, monkeypatch):
    """By the flag T of `chattr`, added to the flags that are there."""
    set_flags = []

    def ioctl(_handle, request, flags):
        if request & 0xFF == 1:
            flags[:4] = (0x00080000).to_bytes(4, sys.byteorder)
        else:
            set_flags.append((hex(request), int.from_bytes(flags[:4], sys.byteorder)))

    monkeypatch.setattr(folders.fcntl, "ioctl", ioctl)
    monkeypatch.setattr(folders.sys, "platform", "linux")
    folders.spread(tmp_path)
    assert set_flags == [("0x40086602" if sys.maxsize > 2**32 else "0x40046602", 0x000A0000)]


def test_spread_does_no_harm_where_the_file_system_has_no_such_flag(tmp_path, monkeypatch):
    def refused(*_arguments):
        raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")

    monkeypatch.setattr(folders.fcntl, "ioctl", refused)
    folders.spread(tmp_path)
    folders.spread(tmp_path / "missing")
