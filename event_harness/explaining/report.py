"""How far an event came: findings per component, for a terminal and whole."""

import textwrap
from dataclasses import dataclass, field

WIDTH, LINES = 96, 40
_MARKS = {"ok": "ok", "bad": "NO", "open": "..", "unknown": "??"}


@dataclass(frozen=True)
class Finding:
    """The finding about one component.

    Attributes:
        component: Its name.
        state: `ok` (the event was here), `bad` (something is wrong), `open` (neither), `unknown`.
        text: The finding in one sentence.
        details: Lines of a log and the like, the most telling last.
        cause: If it is bad: the likely cause.
        missed: The event never came here.
        sure: The cause is known to concern this very input.
    """

    component: str
    state: str
    text: str
    details: tuple[str, ...] = ()
    cause: str | None = None
    missed: bool = False
    sure: bool = False


@dataclass(frozen=True)
class Report:
    """All findings about one input.

    Attributes:
        cause: The likely cause, in one sentence.
        findings: Component by component.
        appendix: Shown in the whole report only: failed events, whole log lines.
        correlation_id: The input's id. In cut lines `<id>` stands for it.
    """

    cause: str
    findings: tuple[Finding, ...]
    appendix: tuple[str, ...] = field(default=())
    correlation_id: str = ""

    def __str__(self) -> str:
        return self.terminal()

    def terminal(self) -> str:
        """At most 40 lines of at most 96 characters."""
        lines = _wrapped(f"likely cause: {self._short(self.cause)}", "", 3)
        name = max((len(finding.component) for finding in self.findings), default=0)
        room = LINES - len(lines) - sum(len(_head(finding, name)) for finding in self.findings)
        for finding in self.findings:
            lines += _head(finding, name)
            shown = self._shown(finding, name + 6, min(12 if finding.state == "bad" else 3, room))
            room -= len(shown)
            lines += shown
        return "\n".join(lines[:LINES])

    def _shown(self, finding: Finding, indent: int, most: int) -> list[str]:
        """The last details that fit, each in at most two lines."""
        lines: list[str] = []
        for detail in reversed(finding.details):
            wrapped = _wrapped(
                _fitting(f"{'':{indent}}{self._short(detail)}", indent), f"{'':{indent + 2}}", 2
            )
            if len(lines) + len(wrapped) > most:
                break
            lines = [*wrapped, *lines]
        return lines

    def _short(self, text: str) -> str:
        return text.replace(self.correlation_id, "<id>") if self.correlation_id else text

    def full(self) -> str:
        """Everything, uncut."""
        lines = [f"likely cause: {self.cause}"]
        for finding in self.findings:
            lines.append(f"[{_MARKS[finding.state]}] {finding.component}: {finding.text}")
            lines += [f"     {detail}" for detail in finding.details]
        return "\n".join([*lines, *self.appendix])


def _head(finding: Finding, name: int) -> list[str]:
    indent = " " * (name + 6)
    return _wrapped(f"{_MARKS[finding.state]}  {finding.component:<{name}}  {finding.text}", indent, 2)


def _fitting(detail: str, indent: int) -> str:
    """A detail for two rows: the message is cut, the request id after it is kept."""
    room = 2 * (WIDTH - indent) - 20  # less what wrapping may leave empty
    message, found, request = detail.rpartition(" (request ")
    if not found or len(detail) <= room + indent:
        return detail
    return f"{message[: indent + room - len(request) - len(found)]}…{found}{request}"


def _wrapped(text: str, indent: str, most: int) -> list[str]:
    whole = printable(text).replace("(request ", "(request\xa0")  # one word, so that an id isn't orphaned
    lines = textwrap.wrap(whole, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    lines = [line.replace("\xa0", " ") for line in lines]
    return lines if len(lines) <= most else [*lines[: most - 1], _cut(f"{lines[most - 1]} …")]


def printable(text: str) -> str:
    """Text of any origin (logs, keys) as one line without control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
