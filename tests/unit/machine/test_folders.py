"""Folders that sessions share, made and deleted while others do the same."""

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
