"""What the scanners are told to overlook, each with its reason."""

import re
from pathlib import Path

import yaml
from terraform_files import REPOSITORY, directories

SETTINGS = REPOSITORY / ".checkov.yml"
TEXT = SETTINGS.read_text(encoding="utf-8").splitlines()
IDENTIFIER = re.compile(r"CKV2?_[A-Z_]+_\d+")


def inline_suppressions() -> list[tuple[Path, int, str]]:
    return [
        (file.relative_to(REPOSITORY), number, line.split("checkov:skip=", 1)[1].strip())
        for directory in directories()
        for file in sorted(directory.glob("*.tf"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if "checkov:skip=" in line
    ]


def test_every_general_suppression_carries_its_reason() -> None:
    lines = [number for number, line in enumerate(TEXT) if line.lstrip().startswith("- CKV")]
    assert len(lines) == len(yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["skip-check"])
    bad = [
        TEXT[number].strip()
        for number in lines
        if " # " not in TEXT[number] and not TEXT[number - 1].lstrip().startswith("# ")
    ]
    assert not bad, f"say why beside or above: {', '.join(bad)}"


def test_every_suppression_beside_a_resource_carries_its_reason() -> None:
    found = inline_suppressions()
    assert found
    bad = []
    for file, number, text in found:
        identifier, _, reason = text.partition(":")
        if not IDENTIFIER.fullmatch(identifier) or len(reason.split()) < 4:
            bad.append(f"{file}:{number}: write #checkov:skip=ID:reason, in a few words")
    assert not bad, "\n".join(bad)


def test_nothing_is_suppressed_twice() -> None:
    general = set(yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["skip-check"])
    bad = [
        f"{file}:{number}: {text}"
        for file, number, text in inline_suppressions()
        if text.partition(":")[0] in general
    ]
    assert not bad, "in .checkov.yml already:\n" + "\n".join(bad)


def test_only_inputs_of_tests_are_not_scanned() -> None:
    for path in yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["skip-path"]:
        assert re.fullmatch(r"/(tests|resilience)/[a-z_/]+/", path), path
        assert (REPOSITORY / path.strip("/")).is_dir(), f"{path} is not there any more"


def test_a_scan_needs_no_network() -> None:
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    assert settings["skip-download"] is True
    assert settings["download-external-modules"] is False
