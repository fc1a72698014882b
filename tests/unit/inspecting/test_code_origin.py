"""Which file of the project a function's file was made from."""

import hashlib
import json

import pytest

from event_harness.inspecting.code_origin import Project, top_of
from event_harness.terraform.archives import made_from


@pytest.fixture
def write(tmp_path):
    def file(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return file


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_file_with_the_same_content_is_the_source(tmp_path, write):
    source = write("functions/orders/app.py", "a = 1\n")
    assert Project(tmp_path).file("app.py", digest("a = 1\n")) == source


def test_file_with_another_content_is_none(tmp_path, write):
    write("functions/orders/app.py", "a = 2\n")
    assert Project(tmp_path).file("app.py", digest("a = 1\n")) is None


def test_longest_common_path_decides_between_equal_files(tmp_path, write):
    write("other/app.py", "a = 1\n")
    source = write("src/shop/orders/app.py", "a = 1\n")
    assert Project(tmp_path).file("orders/app.py", digest("a = 1\n")) == source


def test_archive_of_the_state_decides_before_the_path(tmp_path, write):
    write("functions/a/app.py", "a = 1\n")
    source = write("functions/b/app.py", "a = 1\n")
    project = Project(tmp_path, {"of-b": tmp_path / "functions" / "b"})
    assert project.file("app.py", digest("a = 1\n"), "of-b") == source
    assert project.directory("app.py", digest("a = 1\n"), "of-b") == source.parent


def test_file_that_the_archive_renames_is_found_by_its_content(tmp_path, write):
    source = write("functions/price.py", "a = 1\n")
    project = Project(tmp_path)
    assert project.file("app.py", digest("a = 1\n")) == source
    assert project.directory("app.py", digest("a = 1\n")) is None


def test_directory_is_that_of_the_whole_archive(tmp_path, write):
    write("functions/shop/orders/app.py", "a = 1\n")
    assert Project(tmp_path).directory("orders/app.py", digest("a = 1\n")) == tmp_path / "functions" / "shop"


@pytest.mark.parametrize("place", [".event-harness/x", ".venv/lib", "node_modules/y", "mine/lib"])
def test_copies_and_environments_are_no_sources(tmp_path, write, place):
    write("mine/pyvenv.cfg", "")
    write(f"{place}/app.py", "a = 1\n")
    project = Project(tmp_path, {"archive": tmp_path / ".event-harness" / "x"})
    assert project.file("app.py", digest("a = 1\n"), "archive") is None


def test_source_that_has_changed_since_is_told_from_one_that_never_was_there(tmp_path, write):
    write("functions/a/app.py", "a = 2\n")
    project = Project(tmp_path, {"of-a": tmp_path / "functions" / "a"})
    assert project.changed("app.py", digest("a = 1\n"), "of-a")
    assert not project.changed("vendored.py", digest("a = 1\n"), "of-a")
    assert not project.changed("app.py", digest("a = 1\n"), "another")


def test_top_is_the_repository(tmp_path):
    (tmp_path / ".git").mkdir()
    inside = tmp_path / "services" / "tests"
    inside.mkdir(parents=True)
    assert top_of(inside) == tmp_path


def test_state_tells_what_archives_were_made_from(tmp_path):
    view, root = tmp_path / "view" / "live" / "root", tmp_path / "project" / "live" / "root"
    view.mkdir(parents=True)
    archives = [
        {"output_base64sha256": "one", "source_dir": "./functions/a", "source_file": None},
        {"output_base64sha256": "two", "source_dir": "", "source_file": "../../shared/b.py"},
        {"output_base64sha256": "three", "source_dir": None, "source_file": None},
        {"output_base64sha256": "four", "source_dir": str(view / "functions" / "c")},
    ]
    resource = {"type": "archive_file", "instances": [{"attributes": one} for one in archives]}
    state = tmp_path / "terraform.tfstate"
    state.write_text(json.dumps({"resources": [resource, {"type": "aws_s3_bucket", "instances": [{}]}]}))
    assert made_from(state, view, root) == {
        "one": root / "functions" / "a",
        "two": tmp_path / "project" / "shared",
        "four": root / "functions" / "c",
    }


def test_state_that_is_cut_off_tells_nothing(tmp_path):
    (tmp_path / "state").write_text('{"resources": [')
    assert made_from(tmp_path / "state", tmp_path, tmp_path) == {}
