"""The site: every page of the repository is on it, links lead somewhere, references are the code's."""

import json
import re
import struct
import sys
from pathlib import Path

import pytest

from event_harness import cli, fixtures
from event_harness.settings import SETTINGS
from website import __main__ as site
from website import generated, pages, recording, report_pictures

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    directory = tmp_path_factory.mktemp("site")
    site.main(directory)
    return directory


def test_every_page_that_the_index_lists_is_on_the_site_once(built):
    listed = [page.place for section in pages.sections(ROOT).values() for page in section]
    assert len(listed) == len(set(listed))
    on_site = {path.relative_to(built / "docs").as_posix() for path in (built / "docs").rglob("*.md")}
    assert on_site == {"index.md", *listed, *generated.pages(ROOT)}


def test_every_page_is_in_the_navigation(built):
    named = re.findall(r'"([\w/.-]+\.md)"', (built / "zensical.toml").read_text())
    on_site = {path.relative_to(built / "docs").as_posix() for path in (built / "docs").rglob("*.md")}
    assert set(named) == on_site


def test_every_decision_is_on_the_site(built):
    decisions = {path.name for path in (ROOT / "docs" / "decisions").glob("*.md")}
    assert {path.name for path in (built / "docs" / "decisions").glob("*.md")} == decisions


@pytest.mark.parametrize(
    ("source", "link", "leads"),
    [
        ("docs/adopt.md", "reference.md#settings", "reference.md#settings"),
        ("README.md", "docs/adopt.md", "adopt.md"),
        ("docs/decisions/README.md", "../adopt.md", "../adopt.md"),
        ("docs/index.md", "../CONTRIBUTING.md", "project/contributing.md"),
        ("README.md", "docs/pictures/demo.svg", "pictures/demo.svg"),
        ("docs/decisions/README.md", "../aws-role-policy.json", "../aws-role-policy.json"),
        ("docs/index.md", "../Makefile", f"{pages.REPOSITORY}/blob/main/Makefile"),
        ("docs/index.md", "../examples", f"{pages.REPOSITORY}/tree/main/examples"),
        ("docs/index.md", "https://example.org/a.md", "https://example.org/a.md"),
        ("docs/index.md", "#how-to", "#how-to"),
    ],
)
def test_link_leads_to_the_page_or_into_the_repository(source, link, leads):
    known = {name: pages.place(name) for name in ("docs/adopt.md", "docs/reference.md", "CONTRIBUTING.md")}
    assert pages.rewritten(f"see [this]({link})", source, known, ROOT) == f"see [this]({leads})"


def test_link_in_a_block_of_code_stays():
    text = "```text\n[this](../Makefile)\n```\n"
    assert pages.rewritten(text, "docs/index.md", {}, ROOT) == text


def test_block_of_code_in_a_list_is_indented_as_the_site_wants_it():
    text = "1. Run it:\n\n   ```sh\n   pytest\n   ```\n\n2. Read\n   on.\n\n```text\n   three\n```\n"
    wanted = "1. Run it:\n\n    ```sh\n    pytest\n    ```\n\n2. Read\n    on.\n\n```text\n   three\n```\n"
    assert pages.rewritten(text, "docs/index.md", {}, ROOT) == wanted


def test_generated_pages_say_what_the_code_says():
    made = {path: text for path, (_, text) in generated.pages(ROOT).items()}
    assert all(one.option in made["generated/settings.md"] for one in SETTINGS)
    commands = next(action.choices for action in cli.build()._actions if action.dest == "command")
    assert all(f"## `event-harness {name}`" in made["generated/command-line.md"] for name in commands)
    assert {"deployment", "listener", "producer"} <= set(vars(fixtures))
    named = re.findall(r"^## `(\w+)`$", made["generated/fixtures.md"], re.MULTILINE)
    assert {"deployment", "listener", "producer", "harness_readiness_probe"} <= set(named)
    module = made["generated/module-event_listener.md"]
    assert re.findall(r"^## (.*)$", module, re.MULTILINE) == ["Required Inputs", "Optional Inputs", "Outputs"]
    inputs = dict(re.findall(r"^### `(\w+)`\n\n(.*?)(?=\n##|\Z)", module, re.MULTILINE | re.DOTALL))
    assert inputs["name"].startswith("Description: Start of every name;")
    assert inputs["name"].endswith("Type: `string`\n")
    assert inputs["ephemeral"].endswith("Type: `bool`\n\nDefault: `true`\n")
    assert "```hcl\nmap(object({\n  type          = string\n" in inputs["sources"]
    assert "\n}))\n```" in inputs["sources"]
    assert "\n- sns: `topic_arn`" in inputs["sources"]


def test_nothing_of_the_site_comes_from_another_host_at_build(built):
    configuration = (built / "zensical.toml").read_text()
    assert "font = false" in configuration
    assert set(re.findall(r"https?://[^\"\s]+", configuration)) == {pages.REPOSITORY}


@pytest.mark.parametrize("name", ["demo", "failure"])
def test_recordings_are_casts_of_commands_that_exist(name):
    lines = (ROOT / "docs" / "pictures" / f"{name}.cast").read_text(encoding="utf-8").splitlines()
    head, *rows = map(json.loads, lines)
    (told,) = [one for one in (recording.DEMO, recording.FAILURE) if one[0] == name]
    assert (head["version"], head["title"]) == (2, told[1])
    assert rows == sorted(rows, key=lambda row: row[0])
    assert str(ROOT) not in "".join(lines)


def test_recorded_demonstration_succeeded_and_recorded_failure_explains_itself():
    pictures = ROOT / "docs" / "pictures"
    demo, failure = ((pictures / f"{name}.cast").read_text() for name in ("demo", "failure"))
    assert "the text came back exactly right, nothing is left" in demo
    assert "text_processor failed after 3 attempts" in failure
    picture = (pictures / "failure.svg").read_text()
    assert "NotUtf8Error" in picture.replace("&#160;", " ")


def test_pictures_of_the_report_show_the_page_as_it_is():
    """If this fails, `make recording` takes them anew; without an emulator: the module report_pictures."""
    assert report_pictures.DIGEST.read_text().strip() == report_pictures.digest()
    for name, width, height, _ in report_pictures.PICTURES:
        head = (ROOT / "docs" / name).read_bytes()[:24]
        assert struct.unpack(">II", head[16:]) == (width, height)


def test_recording_keeps_what_a_command_prints_and_when():
    printed = recording.record([sys.executable, "-c", "print('one'); print('two')"], 0)
    assert "".join(text for _, text in printed) == "one\r\ntwo\r\n"
    assert all(moment >= 0 for moment, _ in printed)
    with pytest.raises(RuntimeError, match="ended with 3"):
        recording.record([sys.executable, "-c", "raise SystemExit(3)"], 0)
