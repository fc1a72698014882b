"""The report of an input: one finding per component, cut for a terminal or whole."""

import os
import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TextIO

from event_harness import errors

State = Literal["ok", "failed", "running", "not reached", "unknown", ""]
"""How an input fared at a component.

`ok`: it was here and went on. `failed`: it was here and something went wrong. `running`: it is here, and not
done. `not reached`: it never came here. `unknown`: nothing is known. Empty: a remark, about no component.
"""

LINES = 40
_NARROW, _WIDE, _DEFAULT = 56, 150, 106
_MARGIN = 10  # columns that pytest and the indent of an error's text need
_STATES = max(map(len, ("ok", "failed", "running", "not reached", "unknown")))
_COLOURS = {"ok": "32", "failed": "1;31", "running": "33", "not reached": "36", "unknown": "35"}


def width() -> int:
    """Columns that a report may take: those of the terminal (or COLUMNS), less pytest's margin."""
    columns = shutil.get_terminal_size((_DEFAULT, LINES)).columns
    return min(max(columns - _MARGIN, _NARROW), _WIDE)


@dataclass(frozen=True)
class Finding:
    """The finding about one component.

    Attributes:
        component: Its name.
        state: See `State`.
        text: What was found, in one sentence.
        details: Lines of a log and the like, the most telling last.
        cause: Why the input came no further, the component first; None if this finding doesn't tell.
        certain: The cause is known to concern this very input.
        here: The input is known to have come to this component, whatever became of it.
        ended: It failed at its end, after components behind it had seen the input: an execution, an API's
            answer.
        passes: What alone it lets pass, if that may have kept the input: "its rule hot passes only …".
    """

    component: str
    state: State
    text: str
    details: tuple[str, ...] = ()
    cause: str | None = None
    certain: bool = False
    here: bool = False
    ended: bool = False
    passes: str = ""


@dataclass(frozen=True)
class Report:
    """All findings about one input.

    Attributes:
        cause: What happened, in one sentence, the component first: the cause if it is known, else how far
            the input is known to have come.
        findings: One per component, in the order of the path, then remarks.
        appendix: Shown in the whole report only: failed events, whole log lines.
        correlation_id: The input's id. In cut lines `<id>` stands for it.
    """

    cause: str
    findings: tuple[Finding, ...]
    appendix: tuple[str, ...] = field(default=())
    correlation_id: str = ""

    def __str__(self) -> str:
        return self.terminal()

    def terminal(self, *, colour: bool = False) -> str:
        """The report for a terminal: at most 40 lines, none wider than it.

        Args:
            colour: Give each state its colour.
        """
        return "\n".join([*self.headline(), *self.body(colour=colour)])

    def headline(self) -> list[str]:
        """The cause, in at most three lines."""
        return _wrapped(self._short(self.cause), "  ", 3, width())

    def body(self, *, colour: bool = False) -> list[str]:
        """The findings, in at most 37 lines."""
        columns = width()
        name = min(max((len(finding.component) for finding in self.findings), default=0), columns // 3)
        indent = min(_STATES + name + 4, columns // 3)
        heads = [_head(finding, name, columns) for finding in self.findings]
        room = LINES - 3 - sum(map(len, heads))
        lines: list[str] = []
        for finding, head in zip(self.findings, heads, strict=True):
            most = 12 if finding.state == "failed" or finding.cause else 3
            details = self._shown(finding, indent, min(most, room), columns)
            room -= len(details)
            lines += coloured(head) if colour else head
            lines += details
        return lines[: LINES - 3]

    def _shown(self, finding: Finding, indent: int, most: int, columns: int) -> list[str]:
        """The last details that fit, each in at most two lines."""
        lines: list[str] = []
        for detail in reversed(finding.details):
            cut = _fitting(f"{'':{indent}}{self._short(detail)}", indent, columns)
            wrapped = _wrapped(cut, f"{'':{indent + 2}}", 2, columns)
            if len(lines) + len(wrapped) > most:
                break
            lines = [*wrapped, *lines]
        return lines

    def _short(self, text: str) -> str:
        return text.replace(self.correlation_id, "<id>") if self.correlation_id else text

    def full(self) -> str:
        """The whole report, uncut."""
        lines = [self.cause]
        for finding in self.findings:
            state = f"[{finding.state}] " if finding.state else ""
            lines.append(f"{state}{finding.component}: {finding.text}")
            lines += [f"     {detail}" for detail in finding.details]
        appendix = map(errors.printable, self.appendix)  # it may have several lines
        return "\n".join([*map(printable, lines), *appendix])


def coloured(lines: Iterable[str]) -> list[str]:
    """Lines of a report's body with each state in its colour; other lines as they are."""
    return [_coloured(line) for line in lines]


def for_stream(text: str, stream: TextIO) -> str:
    """A text with a report in it, its states in colour if the stream is a terminal and NO_COLOR isn't set."""
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return text
    return "\n".join(coloured(text.split("\n")))


def _coloured(line: str) -> str:
    bare = line.lstrip()
    for state, code in _COLOURS.items():
        if bare.startswith(f"{state:<{_STATES}}  "):
            indent = line[: len(line) - len(bare)]
            return f"{indent}\x1b[{code}m{state}\x1b[0m{bare[len(state) :]}"
    return line


def _head(finding: Finding, name: int, columns: int) -> list[str]:
    indent = " " * min(_STATES + name + 4, columns // 3)
    return _wrapped(
        f"{finding.state:<{_STATES}}  {finding.component:<{name}}  {finding.text}", indent, 2, columns
    )


def _fitting(detail: str, indent: int, columns: int) -> str:
    """A detail for two rows: the message is cut, the request id after it is kept."""
    room = 2 * (columns - indent) - 20  # less what wrapping may leave empty
    message, found, request = detail.rpartition(" (request ")
    keep = room - len(request) - len(found)
    if not found or len(detail) <= room + indent or keep < 1:
        return detail
    return f"{message[: indent + keep]}…{found}{request}"


def _wrapped(text: str, indent: str, most: int, columns: int) -> list[str]:
    whole = printable(text).replace("(request ", "(request\xa0")  # one word, so that an id isn't orphaned
    lines = textwrap.wrap(whole, columns, subsequent_indent=indent, break_on_hyphens=False)
    lines = [line.replace("\xa0", " ") for line in lines]
    return lines if len(lines) <= most else [*lines[: most - 1], _cut(f"{lines[most - 1]} …", columns)]


def printable(text: str) -> str:
    """Text of any origin (logs, keys) as one line without control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def _cut(text: str, columns: int) -> str:
    return text if len(text) <= columns else text[: columns - 1] + "…"
