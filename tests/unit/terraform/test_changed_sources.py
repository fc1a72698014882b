import os

import pytest

from event_harness.terraform import sources, view


@pytest.fixture
def project(tmp_path):
    for name in ("live/main.tf", "live/test_it.py", "functions/app.py", "functions/README.md"):
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "project"


@pytest.fixture
def applied(project, tmp_path):
    """A view of which Terraform has read two files, and the record of them."""
    made = view.make(project / "live", tmp_path / "run", project=project)
    for name in ("main.tf", "../functions/app.py"):
        path = made.root / name
        path.read_text()
        os.utime(path, ns=(1, path.stat().st_mtime_ns))
    sources.record(made, tmp_path / "sources.json")
    return tmp_path / "sources.json"


def test_what_was_read_and_is_another_now_is_named_beside_the_root(project, applied):
    assert sources.changed(project / "live", applied) == []
    (project / "functions/app.py").write_text("edited")
    (project / "live/main.tf").unlink()
    assert sources.changed(project / "live", applied) == ["../functions/app.py", "main.tf"]


def test_what_was_touched_only_has_not_changed(project, applied):
    os.utime(project / "live/main.tf")
    assert sources.changed(project / "live", applied) == []


def test_new_file_counts_where_one_of_its_kind_was_read(project, applied):
    for name in ("live/more.tf", "functions/new.py", "functions/new.md", "live/test_more.py"):
        (project / name).touch()
    assert sources.changed(project / "live", applied) == ["../functions/new.py", "more.tf"]


def test_what_nobody_has_read_does_not_count(project, applied):
    (project / "live/test_it.py").write_text("edited")
    (project / "functions/README.md").write_text("edited")
    assert sources.changed(project / "live", applied) == []


def test_what_a_build_has_overwritten_in_the_view_is_no_source(project, tmp_path):
    made = view.make(project / "live", tmp_path / "run", project=project)
    (made.root / "../functions/app.py").write_text("built")
    sources.record(made, tmp_path / "sources.json")
    assert sources.changed(project / "live", tmp_path / "sources.json") == []


def test_without_times_of_access_every_file_counts(project, tmp_path):
    made = view.make(project / "live", tmp_path / "run", project=project)
    sources.record(made, tmp_path / "sources.json")
    (project / "functions/README.md").write_text("edited")
    assert sources.changed(project / "live", tmp_path / "sources.json") == ["../functions/README.md"]


def test_of_a_shared_directory_what_was_written_anew_has_changed(project, tmp_path, monkeypatch):
    monkeypatch.setattr(view, "_FILES", 50)
    for number in range(60):
        path = project / "live/data" / f"{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("data")
    archive = 'data "archive_file" "a" {\n  source_dir  = "data"\n  output_path = "x.zip"\n}\n'
    (project / "live/main.tf").write_text(archive)
    made = view.make(project / "live", tmp_path / "run", project=project)
    assert made.shared
    sources.record(made, tmp_path / "sources.json")
    assert sources.changed(project / "live", tmp_path / "sources.json") == []
    (project / "live/data/7.txt").write_text("edited")
    (project / "live/data/more.txt").write_text("new")
    expected = ["data/7.txt", "data/more.txt"]
    assert sources.changed(project / "live", tmp_path / "sources.json") == expected
