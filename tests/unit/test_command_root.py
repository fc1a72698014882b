"""Commands work on the Terraform root that pytest would deploy."""

from argparse import Namespace
from pathlib import Path

import pytest

from event_harness import cli
from event_harness.commands import options
from event_harness.errors import SettingError


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("EVENT_HARNESS_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("infra", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").touch()
    return tmp_path


def asked(**given):
    return Namespace(**({"project": None, "root": None} | given))


def test_without_a_setting_it_is_here(project):
    assert options.root(asked()) == project


def test_the_ini_file_names_it_relative_to_itself(project, monkeypatch):
    (project / "pytest.ini").write_text("[pytest]\nharness_root = infra\n")
    (project / "tests").mkdir()
    monkeypatch.chdir(project / "tests")
    assert options.root(asked()) == project / "infra"


def test_the_environment_comes_before_the_ini_file_and_the_option_before_both(project, monkeypatch):
    (project / "pytest.ini").write_text("[pytest]\nharness_root = nowhere\n")
    monkeypatch.setenv("EVENT_HARNESS_ROOT", "infra")
    assert options.root(asked()) == project / "infra"
    assert options.root(asked(root=Path("other"))) == Path("other")


def test_a_project_that_is_a_root_itself_is_meant(project):
    (project / "pytest.ini").write_text("[pytest]\nharness_root = infra\n")
    assert options.root(asked(project=project / "other")) == project / "other"


def test_a_root_that_is_not_there_is_named_with_where_it_was_set(monkeypatch):
    monkeypatch.setenv("EVENT_HARNESS_ROOT", "nowhere")
    with pytest.raises(SettingError, match=r"nowhere is no directory \(EVENT_HARNESS_ROOT\)"):
        options.root(asked())


def test_up_of_a_directory_without_terraform_names_the_setting_and_leaves_nothing(project, capsys):
    assert cli.main(["up"]) == 1
    assert "holds no *.tf; name the Terraform root (harness_root)" in capsys.readouterr().err
    assert not (project / ".event-harness").exists()
