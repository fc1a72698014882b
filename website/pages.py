"""Which pages the site has, in which order, and where their links lead.

`docs/index.md` is the list: each of its sections is one of the site, and each page that it links is in it. So
a page is on the site once it is in that list.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = "https://github.com/your-org/event-harness"
INDEX = "docs/index.md"
ASSETS = (".cast", ".json", ".png", ".svg")
"""What the site takes from `docs` besides pages."""
_LINK = re.compile(r"(?P<before>!?\[[^\]]*\]\()(?P<target>[^)\s]+)(?P<after>\))", re.DOTALL)
_TITLE = re.compile(r"^(```\w+ )title=([^\"\s]+)$", re.MULTILINE)  # the site's Markdown wants quotes
_ITEM = re.compile(
    r"^   (?=\S)", re.MULTILINE
)  # a later line of an item: the site's Markdown wants four spaces
_BLOCK = re.compile(r"(^[ ]*```.*?^[ ]*```[ ]*$)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A page of the site.

    Attributes:
        source: its file in the repository.
        place: its file on the site.
        title: what the navigation calls it.
    """

    source: str
    place: str
    title: str


def sections(root: Path) -> dict[str, list[Page]]:
    """The pages of each section of the index. The decisions follow their list."""
    text = (root / INDEX).read_text(encoding="utf-8")
    found: dict[str, list[Page]] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name = section.partition("\n")[0].strip()
        found[name] = []
        for source in _linked(root, INDEX, section):
            found[name].append(_page(root, source))
            if Path(source).parent.name == "decisions":
                more = _linked(root, source, (root / source).read_text(encoding="utf-8"))
                found[name] += [_page(root, one) for one in more if Path(one).parent.name == "decisions"]
    return found


def place(source: str) -> str:
    """Where a file of the repository is on the site."""
    path = Path(source)
    if path.parts[0] == "docs":
        return Path(*path.parts[1:]).as_posix()
    if path.name == "README.md":
        return f"{path.parent.as_posix()}.md" if path.parent.parts else "start.md"
    return f"project/{path.name.lower()}"  # CONTRIBUTING.md, SECURITY.md: docs has a security.md of its own


def rewritten(text: str, source: str, known: dict[str, str], root: Path) -> str:
    """The text of a page with each relative link leading to a page of the site, else into the repository.

    Args:
        text: the page.
        source: its file in the repository.
        known: file in the repository -> file on the site, for each page.
        root: the repository.
    """
    here = Path(place(source)).parent

    def leads(match: re.Match[str]) -> str:
        target, hash_, anchor = match["target"].partition("#")
        if "://" in target or not target:
            return match[0]
        file = os.path.normpath(Path(source).parent / target)
        if file in known or (file.startswith("docs/") and file.endswith(ASSETS)):
            to = os.path.relpath(known.get(file, place(file)), here) + hash_ + anchor
        else:
            kind = "tree" if (root / file).is_dir() else "blob"
            to = f"{REPOSITORY}/{kind}/main/{file}{hash_}{anchor}"
        return f"{match['before']}{to}{match['after']}"

    text = _TITLE.sub(r'\1title="\2"', text)
    parts = _BLOCK.split(text)
    return "".join(
        _block(part) if number % 2 else _ITEM.sub("    ", _LINK.sub(leads, part))
        for number, part in enumerate(parts)
    )


def _block(text: str) -> str:
    """A block of code; one in an item of a list with the indentation that the site's Markdown wants."""
    spaces = len(text) - len(text.lstrip(" "))
    return re.sub(r"^(?=.)", " " * (4 - spaces), text, flags=re.MULTILINE) if 0 < spaces < 4 else text


def _linked(root: Path, page: str, text: str) -> list[str]:
    """The pages that a text links, in order, each once."""
    found: list[str] = []
    for match in _LINK.finditer(text):
        target = match["target"].partition("#")[0]
        file = os.path.normpath(Path(page).parent / target) if target and "://" not in target else ""
        if file.endswith(".md") and file not in (*found, page) and (root / file).is_file():
            found.append(file)
    return found


def _page(root: Path, source: str) -> Page:
    first = (root / source).read_text(encoding="utf-8").partition("\n")[0]
    return Page(source, place(source), first.lstrip("# ").strip())
