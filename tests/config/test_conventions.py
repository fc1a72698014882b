"""Conventions of every module and example: files, names, descriptions, tags."""

import re
from pathlib import Path

import pytest
from terraform_files import REPOSITORY, arguments, directories, of_kind, of_type

STANDARD_FILES = ("main.tf", "outputs.tf", "variables.tf", "versions.tf")
SENTENCE = re.compile(r"[A-Z].*[.)\"]$", re.DOTALL)
UNITS = re.compile(r"bytes|MB|[Ss]econds|[Dd]ays|[Hh]ours|[Hh]ow (often|many)")
OURS = [directory for directory in directories() if directory != REPOSITORY]


def area_id(directory: Path) -> str:
    return directory.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("directory", directories(), ids=area_id)
def test_a_module_holds_the_four_standard_files(directory: Path) -> None:
    missing = [name for name in STANDARD_FILES if not (directory / name).is_file()]
    assert not missing, f"{area_id(directory)}: lacks {', '.join(missing)}"


@pytest.mark.parametrize("directory", sorted((REPOSITORY / "modules").iterdir()), ids=area_id)
def test_a_readme_names_every_input_and_output(directory: Path) -> None:
    readme = (directory / "README.md").read_text(encoding="utf-8")
    area = f"{area_id(directory)}/"
    missing = [
        f"{one}: not in {area}README.md"
        for one in [*of_kind("variable", area), *of_kind("output", area)]
        if f"`{one.name}`" not in readme
    ]
    assert not missing, "\n".join(missing)


def test_names_are_lower_case_with_underscores() -> None:
    kinds = ("resource", "data", "module", "variable", "output")
    bad = [
        f"{one}: write {one.name.lower().replace('-', '_')}"
        for kind in kinds
        for one in of_kind(kind)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", one.name)
    ]
    assert not bad, "\n".join(bad)


def test_a_name_does_not_repeat_its_type() -> None:
    bad = [
        f"{one}: the name repeats {', '.join(sorted(repeated))}; name its role"
        for kind in ("resource", "data")
        for one in of_kind(kind)
        if (repeated := set(one.labels[0].split("_")) & set(one.name.split("_")))
    ]
    assert not bad, "\n".join(bad)


def test_every_variable_and_output_is_described_in_a_sentence() -> None:
    bad = [
        f"{one}: describe it in a full sentence"
        for one in [*of_kind("variable"), *of_kind("output")]
        if not SENTENCE.match(str(one.body.get("description", "")).strip())
    ]
    assert not bad, "\n".join(bad)


def test_every_variable_has_a_type() -> None:
    bad = [
        f"{one}: give it a type other than any"
        for one in of_kind("variable")
        if re.search(r"\bany\b", str(one.body.get("type", "any")))
    ]
    assert not bad, "\n".join(bad)


def test_description_of_every_number_names_its_unit() -> None:
    bad = [
        f"{one}: say the unit in its description"
        for one in of_kind("variable")
        if "number" in str(one.body["type"]) and not UNITS.search(one.body["description"])
    ]
    assert not bad, "\n".join(bad)


def test_every_validation_message_is_a_sentence() -> None:
    bad = [
        f"{one}: the error_message isn't a full sentence: {validation['error_message']}"
        for one in of_kind("variable")
        for validation in one.body.get("validation", [])
        if not validation["error_message"].endswith(".")
    ]
    assert not bad, "\n".join(bad)


def test_only_a_variable_with_default_null_accepts_null() -> None:
    bad = [
        f"{one}: add nullable = false"
        for one in of_kind("variable")
        if one.body.get("nullable", True) is not False
        and not ("default" in one.body and one.body["default"] in (None, "null", "${null}"))
    ]
    assert not bad, "\n".join(bad)


def test_python_caches_are_not_part_of_a_function() -> None:
    """Otherwise Terraform would deploy a function again after each run of its unit tests."""
    bad = [
        f"{one}: exclude **/__pycache__"
        for one in of_type("data.archive_file")
        if "**/__pycache__" not in one.body["excludes"]
    ]
    assert of_type("data.archive_file")
    assert not bad, "\n".join(bad)


def test_every_root_tags_all_its_resources() -> None:
    bad = [
        f"{one}: add a block default_tags"
        for one in of_kind("provider")
        if one.name == "aws" and "default_tags" not in arguments(one.body)
    ]
    assert not bad, "\n".join(bad)
    assert [one.file.as_posix() for one in of_kind("provider", ".")] == ["main.tf"]


def test_no_module_configures_a_provider() -> None:
    assert [str(one) for one in of_kind("provider", "modules/")] == []
