"""Others work in the project while it is copied: what they remove is not there, and that is no error."""

import os

import pytest

from event_harness.errors import ConfigurationError
from event_harness.terraform import copying, view
from event_harness.terraform.spares import Spares

# With these, the large directory is copied, or its files are shared.
WAYS = {
    "copied": 'data "external" "e" {\n  program = ["sh", "build.sh"]\n}\n',
    "shared": 'data "archive_file" "a" {\n  source_dir  = var.name\n  output_path = "out.zip"\n}\n',
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with a small directory and a large one."""
    monkeypatch.setattr(view, "_FILES", 50)
    files = ["small/in/1", "small/in/2", "small/3"]
    files += [f"large/{directory}/{number}" for directory in ("a", "b") for number in range(30)]
    for name in files:
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "project" / ".git").mkdir()
    return tmp_path / "project"


@pytest.fixture
def removes(project, monkeypatch):
    """A function; it has a path removed just before the first call of another function for a path."""

    def removes(removed, module, name, source):
        original, still_there = getattr(module, name), [project / removed]

        def called(path, *rest, **settings):
            if os.fspath(path) == str(project / source) and still_there:
                os.rename(still_there.pop(), project.parent / "removed")
            return original(path, *rest, **settings)

        monkeypatch.setattr(module, name, called)

    return removes


def files(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("removed", "module", "name", "source"),
    [
        ("small/in/1", copying, "copy", "small/in/1"),
        ("small/in", copying, "copy", "small/in/1"),
        ("small/in", os, "stat", "small/in"),
        ("small/in", os, "scandir", "small/in"),
        ("large/a/7", copying, "{way}", "large/a/7"),
        ("large/a", copying, "{way}", "large/a/7"),
        ("large", copying, "{way}", "large/a/7"),
        ("large/a", os, "stat", "large/a"),
        ("large/a", os, "scandir", "large/a"),
    ],
)
def test_what_is_removed_while_the_project_is_copied_is_not_there(
    project, removes, way, removed, module, name, source
):
    (project / "main.tf").write_text(WAYS[way])
    expected = files(project)
    removes(removed, module, name.format(way={"copied": "copy", "shared": "share"}[way]), source)
    found = files(view.make(project, project.parent / "view").root)
    assert not (project / removed).exists()
    assert source not in found
    assert {one for one in expected - found if not one.startswith(removed)} == set()


def test_what_is_removed_from_a_large_directory_is_not_in_the_next_copy(project, removes):
    (project / "main.tf").write_text(WAYS["copied"])
    spares = Spares(project.parent / "spares", project.parent / "index.json")
    made = view.make(project, project.parent / "view", spares=spares)
    assert "large/a/7" in files(made.root)
    removes("large/a", copying, "copy", "large/a/7")
    (project / "large/a/7").write_text("new")
    found = files(view.make(project, project.parent / "view2", spares=spares).root)
    assert "large/b/7" in found
    assert "large/a/7" not in found


def test_directory_of_the_deployment_that_is_removed_is_an_error(project, monkeypatch):
    (project / "main.tf").write_text(WAYS["copied"])
    original = copying.copy

    def copy(source, place):
        os.rename(os.path.dirname(place), project.parent / "removed")
        return original(source, place)

    monkeypatch.setattr(copying, "copy", copy)
    with pytest.raises(ConfigurationError, match="can't be copied for the deployment: No such file"):
        view.make(project, project.parent / "view")
