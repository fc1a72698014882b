"""Reads the errors that terraform prints."""

import re
from dataclasses import dataclass

_SNIPPET = re.compile(r"^\s*\d+: .*$", re.MULTILINE)


@dataclass(frozen=True)
class Diagnostic:
    """One error of terraform's.

    Attributes:
        text: the whole error on one line, without the lines of source code that terraform shows.
        headline: its first paragraph.
        detail: the first further paragraph that isn't a source location; may be empty.
        place: file and line, as in "main.tf line 3"; may be empty.
        data: whether it is about a data source.
    """

    text: str
    headline: str
    detail: str
    place: str
    data: bool

    def __str__(self) -> str:
        said = ": ".join(part for part in (self.headline, self.detail) if part)
        return f"{said} ({self.place})" if self.place else said


def errors(text: str) -> list[Diagnostic]:
    """The errors in what terraform has printed to stderr, each once.

    Args:
        text: terraform's text, with or without the frames around each error.
    """
    unframed = re.sub(r"[│╷╵]", " ", text)
    blocks = re.split(r"\n\s*Error: ", "\n" + unframed)[1:]
    # A preface of init; the errors follow.
    told = [one for one in blocks if not one.startswith("Terraform encountered problems during init")]
    found = map(_diagnostic, told or blocks)
    return list({str(one): one for one in found}.values())


def summary(text: str) -> str:
    """Terraform's errors on one line, or the end of the text if it holds none."""
    return " | ".join(map(str, errors(text))) or " ".join(text.split())[-400:] or "no message"


def _diagnostic(block: str) -> Diagnostic:
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", block)]
    said = [p for p in paragraphs if p and not p.startswith(("with ", "on "))]
    place = re.search(r"on ([^\n]+? line \d+)", block)
    return Diagnostic(
        text=" ".join(_SNIPPET.sub("", block).split()),
        headline=said[0] if said else "",
        detail=said[1] if len(said) > 1 else "",
        place=place.group(1) if place else "",
        data=bool(re.search(r"^\s*with (\S+\.)?data\.", block, re.MULTILINE)),
    )
