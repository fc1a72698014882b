"""Commands that are printed for the user work where the user pastes them."""

import shutil
import sys

import pytest

from event_harness.machine import command_line
from event_harness.machine.command_line import nearest_project, spelled


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with records, and `event-harness` on the search path."""
    directory = tmp_path / "a project"
    (directory / ".event-harness").mkdir(parents=True)
    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/event-harness")
    return directory


@pytest.mark.parametrize("below", [".", "tests", "tests/unit"])
def test_command_in_the_project_or_below_needs_no_path(project, monkeypatch, below):
    (project / below).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(project / below)
    assert nearest_project(project / below) == project
    assert spelled("sweep", "d1", project=project) == "event-harness sweep d1"


def test_command_elsewhere_names_the_project(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert spelled("sweep", "d1", project=project) == f"event-harness --project '{project}' sweep d1"


def test_command_below_another_project_names_the_project(project, monkeypatch):
    inner = project / "examples"
    (inner / ".event-harness").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert spelled("list", project=project) == f"event-harness --project '{project}' list"


def test_command_in_a_directory_that_was_deleted_names_the_project(project, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "--project" in spelled("list", project=project)
    monkeypatch.chdir(tmp_path)


def test_program_that_is_not_on_the_path_is_named_by_its_own_path(project, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    program = project / ".venv" / "bin" / "event-harness"
    program.parent.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    monkeypatch.chdir(project)
    assert spelled("list", project=project) == f"'{sys.executable}' -m event_harness.cli list"
    program.touch()
    assert spelled("list", project=project) == ".venv/bin/event-harness list"
    (project.parent / "other").mkdir()
    monkeypatch.chdir(project.parent / "other")
    assert command_line.spelled("list", project=project).startswith(f"'{program}' --project ")
