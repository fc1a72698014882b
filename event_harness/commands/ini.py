"""The settings in pytest's ini file, for commands that run without pytest."""

import configparser
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from event_harness.errors import SettingError

# In the order in which pytest looks for them, each with the tables or sections that make it one.
_FILES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pytest.toml", ("pytest",)),
    (".pytest.toml", ("pytest",)),
    ("pytest.ini", ("pytest",)),
    (".pytest.ini", ("pytest",)),
    ("pyproject.toml", ("tool.pytest", "tool.pytest.ini_options")),
    ("tox.ini", ("pytest",)),
    ("setup.cfg", ("tool:pytest",)),
)


def find(project: Path) -> tuple[Path, dict[str, Any]]:
    """The directory of the nearest ini file, from a directory upwards, and the harness's settings in it.

    Args:
        project: where to begin; it is returned if there is no ini file.

    Returns:
        The directory, and text or lists of texts by setting name, as `Settings` takes them.

    Raises:
        SettingError: an ini file can't be read.
    """
    for directory in (project, *project.parents):
        if found := _first(directory):
            ours = {key: value for key, value in found[1].items() if key.startswith("harness_")}
            return directory, {key.removeprefix("harness_"): _plain(ours[key]) for key in ours}
    return project, {}


def test_paths(directory: Path) -> list[str]:
    """Where pytest looks for tests, by the ini file of a directory; empty if it doesn't say."""
    return _words(directory, "testpaths")


def python_files(directory: Path) -> list[str]:
    """The patterns of the names of tests, by the ini file of a directory; empty if it doesn't say."""
    return _words(directory, "python_files")


def _words(directory: Path, name: str) -> list[str]:
    found = _first(directory)
    value = _plain(found[1].get(name, "")) if found else ""
    return [word for line in ([value] if isinstance(value, str) else value) for word in str(line).split()]


def file(directory: Path) -> Path | None:
    """The ini file of pytest in a directory; None if there is none."""
    found = _first(directory)
    return found[0] if found else None


def _first(directory: Path) -> tuple[Path, Mapping[str, Any]] | None:
    for name, sections in _FILES:
        path = directory / name
        if path.is_file() and (found := _read(path, sections)) is not None:
            return path, found
    return None


def _read(file: Path, sections: tuple[str, ...]) -> Mapping[str, Any] | None:
    """The options of pytest in a file; None if it holds none."""
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".toml":
            return _tables(tomllib.loads(text), sections)
        parser = configparser.RawConfigParser(delimiters=("=", ":"), strict=False)
        parser.read_string(text)
    except (OSError, ValueError, configparser.Error) as error:
        said = " ".join(str(error).split())
        raise SettingError(f"{file} can't be read as an ini file of pytest: {said}") from error
    section = sections[0]
    if parser.has_section(section):
        return dict(parser[section])
    return {} if "pytest" in file.name else None  # such a file counts without a section, too


def _tables(content: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any] | None:
    found: dict[str, Any] | None = None
    for name in names:
        table: Any = content
        for part in name.split("."):
            table = table.get(part) if isinstance(table, Mapping) else None
        if isinstance(table, Mapping):
            found = (found or {}) | dict(table)
    return found


def _plain(value: Any) -> Any:
    """A value as pytest returns it: a text, or the lines of a list; a switch in TOML becomes a text."""
    if isinstance(value, list):
        return [str(one) for one in value]
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return [line for line in text.splitlines() if line] if "\n" in text else text
