"""Commands find the settings in the file in which pytest finds them."""

import pytest

from event_harness.commands import ini
from event_harness.errors import SettingError


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q\nharness_root = infra\nharness_var =\n  a=1\n  b=2\n"),
        (".pytest.ini", "[pytest]\nharness_root: infra\nharness_var =\n  a=1\n  b=2\n"),
        ("pytest.toml", '[pytest]\nharness_root = "infra"\nharness_var = ["a=1", "b=2"]\n'),
        (
            "pyproject.toml",
            '[tool.pytest.ini_options]\nharness_root = "infra"\nharness_var = ["a=1", "b=2"]\n',
        ),
        ("pyproject.toml", '[tool.pytest]\nharness_root = "infra"\nharness_var = ["a=1", "b=2"]\n'),
        ("tox.ini", "[tox]\nx = %(y)s\n[pytest]\nharness_root = infra\nharness_var =\n  a=1\n  b=2\n"),
        ("setup.cfg", "[tool:pytest]\nharness_root = infra\nharness_var =\n  a=1\n  b=2\n"),
    ],
)
def test_settings_are_read_from_each_file_that_pytest_reads(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    (tmp_path / "deep/er").mkdir(parents=True)
    found = {"root": "infra", "var": ["a=1", "b=2"]}
    assert ini.find(tmp_path / "deep/er") == (tmp_path, found)


def test_the_first_file_in_pytests_order_counts_alone(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nharness_root = a\n")
    (tmp_path / "tox.ini").write_text("[pytest]\nharness_root = b\nharness_keep = true\n")
    assert ini.find(tmp_path)[1] == {"root": "a"}


def test_file_without_a_section_of_pytest_is_none(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\nharness_keep = true\n")
    assert ini.find(tmp_path / "deep") == (tmp_path, {"keep": "true"})


@pytest.mark.parametrize(("name", "text"), [("pyproject.toml", "a = \n"), ("pytest.ini", "no section\n")])
def test_broken_file_is_one_line_with_its_name(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingError, match=f"{name} can't be read as an ini file of pytest: ") as error:
        ini.find(tmp_path)
    assert "\n" not in str(error.value)
