"""The stand-in for hashicorp/archive, without Terraform: what a data source is given, and what it makes."""

import base64
import hashlib
import io
import os
import stat
import tarfile
import zipfile

import pytest

from event_harness.terraform.provider_3_39.archive_provider import ArchiveError, _pattern, archive_file


@pytest.fixture
def source(tmp_path):
    root = tmp_path / "source"
    for name, text in {"b.py": "b", "a.py": "a", "sub/c.py": "c", "sub/__pycache__/c.pyc": "x"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
        (root / name).chmod(0o644)
    return root


@pytest.fixture
def archive(tmp_path):
    def make(kind="zip", **config):
        return archive_file({"type": kind, "output_path": str(tmp_path / "out" / "it"), **config})

    return make


def names(state):
    with zipfile.ZipFile(state["output_path"]) as packed:
        return packed.namelist()


def test_directory_is_packed_in_the_order_of_its_names(archive, source):
    assert names(archive(source_dir=str(source))) == ["a.py", "b.py", "sub/__pycache__/c.pyc", "sub/c.py"]


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_same_input_makes_the_same_bytes(archive, source, kind):
    first = archive(kind, source_dir=str(source))["output_base64sha256"]
    for parent, folders, files in os.walk(source):
        for name in folders + files:
            os.utime(os.path.join(parent, name), (1, 1))
    assert archive(kind, source_dir=str(source))["output_base64sha256"] == first
    (source / "a.py").write_text("changed")
    assert archive(kind, source_dir=str(source))["output_base64sha256"] != first


def test_sums_and_size_are_those_of_the_file(archive, source):
    state = archive(source_dir=str(source))
    with open(state["output_path"], "rb") as file:
        content = file.read()
    assert state["output_size"] == len(content)
    assert state["output_base64sha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert state["output_base64sha512"] == base64.b64encode(hashlib.sha512(content).digest()).decode()
    assert state["output_sha"] == state["id"] == hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert state["output_md5"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert state["output_sha256"] == hashlib.sha256(content).hexdigest()
    assert state["output_sha512"] == hashlib.sha512(content).hexdigest()


def test_excluded_files_and_directories_stay_out(archive, source):
    assert names(archive(source_dir=str(source), excludes=["**/__pycache__", "b.py", ""])) == [
        "a.py",
        "sub/c.py",
    ]


@pytest.mark.parametrize(
    ("glob", "matched", "others"),
    [
        ("*.pyc", ["a.pyc"], ["sub/a.pyc"]),
        ("**/*.pyc", ["a.pyc", "x/y/a.pyc"], ["a.py"]),
        ("sub/**", ["sub/a", "sub/b/c"], ["a", "subs/a"]),
        ("**/tests/**", ["tests/a", "x/tests/y/a"], ["tests.py"]),
        ("?.py", ["a.py"], ["ab.py", "/.py"]),
        ("[ab].py", ["a.py"], ["c.py"]),
        ("[!ab].py", ["c.py"], ["a.py"]),
        ("*.{md,txt}", ["a.md", "b.txt"], ["a.py"]),
        ("a.b+c", ["a.b+c"], ["aXbbc"]),
        ("a,b", ["a,b"], ["a", "b"]),
        (r"\*", ["*"], ["a"]),
    ],
)
def test_globs_mean_what_they_mean_to_the_original(glob, matched, others):
    pattern = _pattern(glob)
    assert [name for name in matched + others if pattern.fullmatch(name)] == matched


def test_single_file_is_packed_under_its_own_name(archive, source):
    assert names(archive(source_file=str(source / "sub" / "c.py"))) == ["c.py"]


def test_source_blocks_are_packed_in_the_order_of_their_names(archive):
    blocks = [{"filename": "z.txt", "content": "Z"}, {"filename": "a/ü.txt", "content": "ß"}]
    state = archive(source=blocks)
    with zipfile.ZipFile(state["output_path"]) as packed:
        assert {name: packed.read(name).decode() for name in packed.namelist()} == {
            "a/ü.txt": "ß",
            "z.txt": "Z",
        }
        assert packed.namelist() == ["a/ü.txt", "z.txt"]


def test_source_content_is_packed(archive):
    assert names(archive(source_content="x", source_content_filename="x.txt")) == ["x.txt"]


@pytest.mark.parametrize(("asked", "mode"), [(None, 0o755), ("0640", 0o640)])
def test_file_mode_is_the_files_own_unless_given(archive, source, asked, mode):
    (source / "a.py").chmod(0o755)
    state = archive(source_file=str(source / "a.py"), output_file_mode=asked)
    with zipfile.ZipFile(state["output_path"]) as packed:
        assert packed.getinfo("a.py").external_attr >> 16 & 0o777 == mode


def test_links_are_followed_once_and_not_in_circles(archive, source, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "d.py").write_text("d")
    (source / "linked").symlink_to(tmp_path / "elsewhere")
    (source / "circle").symlink_to(source)
    packed = names(archive(source_dir=str(source)))
    assert "linked/d.py" in packed
    assert not [name for name in packed if name.startswith("circle/")]
    assert "linked/d.py" not in names(archive(source_dir=str(source), exclude_symlink_directories=True))


def test_tar_holds_the_same_files(archive, source):
    state = archive("tar.gz", source_dir=str(source), excludes=["sub/**"])
    with open(state["output_path"], "rb") as file, tarfile.open(fileobj=io.BytesIO(file.read())) as packed:
        assert packed.getnames() == ["a.py", "b.py"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"source_dir": "/no/such"}, "could not archive missing directory: /no/such"),
        ({"source_file": "/no/such"}, "could not archive missing file: /no/such"),
        ({}, "one of source_dir, source_file, source or source_content is needed"),
        ({"source_file": "a", "source_dir": "b"}, "only one of"),
        ({"kind": "rar", "source_file": "a"}, "archive type not supported: rar"),
    ],
)
def test_request_that_can_not_be_met_is_one_clear_line(archive, config, message):
    with pytest.raises(ArchiveError, match=message):
        archive(**config)


def test_empty_directory_is_refused(archive, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match="as it would be empty"):
        archive(source_dir=str(tmp_path / "empty"))


def test_arguments_come_back_as_they_were_given(archive, source):
    """Terraform refuses a data source whose configuration changes while it is read."""
    given = {"source_dir": str(source), "excludes": ["b.py"], "output_file_mode": None}
    assert archive(**given).items() >= given.items()


def test_link_stays_and_the_file_that_it_leads_to_is_written(archive, source, tmp_path):
    there, link = tmp_path / "there.zip", tmp_path / "link.zip"
    there.write_text("old")
    link.symlink_to(there)
    state = archive(source_dir=str(source), output_path=str(link))
    assert link.is_symlink()
    assert there.read_bytes() == link.read_bytes()
    assert len(there.read_bytes()) == state["output_size"]


def test_device_is_written_and_not_replaced(archive, source, tmp_path):
    device = tmp_path / "pipe"  # as for `output_path = "/dev/null"`, where only the sum matters
    os.mkfifo(device)
    reader = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
    try:
        state = archive(source_dir=str(source), output_path=str(device))
        assert stat.S_ISFIFO(device.stat().st_mode)
        assert len(os.read(reader, 1 << 16)) == state["output_size"]
    finally:
        os.close(reader)
