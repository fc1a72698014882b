"""Writes all that Zensical needs to build the site: `python -m website DIRECTORY`."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from website import generated, pages

ROOT = Path(__file__).parents[1]
REFERENCE = "Reference"
MERMAID = "mermaid.tiny.min.js"
"""Draws the diagrams of the pages; @mermaid-js/tiny 11.17.2 from npm, unchanged."""
STYLE = "site.css"
_EXTENSIONS = """
[project.markdown_extensions]
admonition = {}
attr_list = {}
md_in_html = {}
tables = {}
toc.permalink = true
toc.slugify = { object = "pymdownx.slugs.slugify", kwds = { case = "lower" } }
pymdownx.details = {}
pymdownx.highlight = {}
pymdownx.inlinehilite = {}
pymdownx.superfences.custom_fences = [
  { name = "mermaid", class = "mermaid", format = "pymdownx.superfences.fence_code_format" },
]
"""


def main(directory: Path) -> None:
    """Collect and generate the pages, and write the configuration beside them."""
    sections = pages.sections(ROOT)
    made = generated.pages(ROOT)
    known = {page.source: page.place for section in sections.values() for page in section}
    known[pages.INDEX] = "index.md"
    shutil.rmtree(directory, ignore_errors=True)
    for source, place in known.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        _write(
            directory / "docs" / place,
            _diagrams(place) * ("```mermaid" in text) + pages.rewritten(text, source, known, ROOT),
        )
    for place, (_, text) in made.items():
        _write(directory / "docs" / place, text)
    for file in (ROOT / "docs").rglob("*"):
        if file.suffix in pages.ASSETS:
            _copy(file, directory / "docs" / file.relative_to(ROOT / "docs"))
    for name in (MERMAID, STYLE, "LICENSES.txt"):
        _copy(Path(__file__).parent / "assets" / name, directory / "docs" / "assets" / name)
    navigation: list[dict[str, Any]] = [{"Home": "index.md"}]
    for name, section in sections.items():
        entries: list[Any] = [{page.title: page.place} for page in section if not _is_decision(page)]
        if decisions := [{page.title: page.place} for page in section if _is_decision(page)]:
            entries.append({"Decisions": decisions})  # a list of its own, folded
        if name == REFERENCE:
            entries += [{title: place} for place, (title, _) in made.items()]
        navigation.append({name: entries})
    _write(directory / "zensical.toml", _configuration(navigation))


def _is_decision(page: pages.Page) -> bool:
    return page.place.startswith("decisions/")


def _diagrams(place: str) -> str:
    """What a page with diagrams begins with: Mermaid from the site itself, not from another host."""
    up = "../" * len(Path(place).parts) if place != "index.md" else ""
    return f'<script src="{up}assets/{MERMAID}"></script>\n\n'


def _configuration(navigation: list[dict[str, Any]]) -> str:
    lines = [
        "[project]",
        'site_name = "event-harness"',
        'site_description = "Tests event-driven systems on AWS with Terraform and pytest"',
        f"nav = {_toml(navigation)}",
        f"extra_css = [{json.dumps(f'assets/{STYLE}')}]",
        "[project.theme]",
        "font = false",  # no font from another host
        'features = ["content.code.copy", "navigation.sections", "navigation.top", "search.highlight"]',
        "[[project.theme.palette]]",
        'media = "(prefers-color-scheme: light)"',
        'scheme = "default"',
        "[[project.theme.palette]]",
        'media = "(prefers-color-scheme: dark)"',
        'scheme = "slate"',
        # A link to the repository. With `repo_url` each page would ask the API of its host.
        "[[project.extra.social]]",
        'icon = "fontawesome/brands/github"',
        f"link = {json.dumps(pages.REPOSITORY)}",
        "[project.plugins.mkdocstrings.handlers.python]",
        f"paths = [{json.dumps(str(ROOT))}]",
        "[project.plugins.mkdocstrings.handlers.python.options]",
        'docstring_style = "google"',
        "show_source = false",
        "show_root_heading = true",
        "show_root_full_path = false",
        "heading_level = 2",
    ]
    return "\n".join(lines) + "\n" + _EXTENSIONS


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
