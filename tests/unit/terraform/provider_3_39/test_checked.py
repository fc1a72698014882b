"""A file that was checked is read again only if it may have changed."""

import hashlib
import os

import pytest

from event_harness.machine import clock
from event_harness.terraform.provider_3_39 import checked

RIGHT = hashlib.sha256(b"right").hexdigest()


@pytest.fixture
def file(tmp_path):
    (tmp_path / "file").write_bytes(b"right")
    return tmp_path / "file"


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "memory"


@pytest.fixture
def read(monkeypatch):
    """The names of the files that were read."""
    digest, names = hashlib.file_digest, []

    def file_digest(content, name):
        names.append(os.path.basename(content.name))
        return digest(content, name)

    monkeypatch.setattr(hashlib, "file_digest", file_digest)
    return names


@pytest.fixture
def later(monkeypatch):
    """All files here were written ten seconds ago."""
    now = clock.timestamp
    monkeypatch.setattr(clock, "timestamp", lambda: now() + 10)


@pytest.mark.usefixtures("later")
def test_file_is_read_once(file, memory, read):
    assert [checked.has_digest(file, RIGHT, memory) for _ in range(3)] == [True] * 3
    assert read == ["file"]


def test_file_that_was_just_written_is_read_each_time(file, memory, read):
    assert [checked.has_digest(file, RIGHT, memory) for _ in range(2)] == [True] * 2
    assert read == ["file"] * 2


def until_the_clock_of_files_goes_on(file):
    """It goes on every few milliseconds only; a change within them is why a new file is read each time."""
    probe = file.with_name("probe")
    probe.touch()
    while probe.stat().st_ctime_ns <= file.stat().st_ctime_ns:
        probe.write_bytes(b"")


def overwritten(file):
    about = file.stat()
    file.write_bytes(b"wrong")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def replaced(file):
    about = file.stat()
    other = file.with_name("other")
    other.write_bytes(b"wrong")
    os.utime(other, ns=(about.st_atime_ns, about.st_mtime_ns))
    other.rename(file)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("change", [overwritten, replaced])
def test_file_that_was_changed_is_noticed_although_its_size_and_time_are_the_same(file, memory, change):
    assert checked.has_digest(file, RIGHT, memory)
    until_the_clock_of_files_goes_on(file)
    change(file)
    assert not checked.has_digest(file, RIGHT, memory)


@pytest.mark.usefixtures("later")
def test_another_digest_is_another_question(file, memory):
    assert checked.has_digest(file, RIGHT, memory)
    assert not checked.has_digest(file, hashlib.sha256(b"another").hexdigest(), memory)
    assert checked.has_digest(file, RIGHT, memory)


@pytest.mark.usefixtures("later")
def test_wrong_file_is_never_remembered(file, memory, read):
    file.write_bytes(b"wrong")
    assert [checked.has_digest(file, RIGHT, memory) for _ in range(2)] == [False] * 2
    assert read == ["file"] * 2
    assert not memory.exists()


@pytest.mark.usefixtures("later")
def test_memory_that_can_not_be_used_is_no_error(file, memory):
    memory.mkdir()
    assert checked.has_digest(file, RIGHT, memory)


def test_file_that_is_not_there_is_an_error(file, memory):
    file.unlink()
    with pytest.raises(FileNotFoundError):
        checked.has_digest(file, RIGHT, memory)
