"""Shows explanations in pytest's terminal: coloured, and with the cause in the short summary."""

import re
from collections.abc import Callable
from typing import Any

from event_harness.explaining.report import coloured

PROPERTY = "event_harness"
"""Name of the property of a test's report that holds the whole explanation."""
_MARGIN = "E   "  # what pytest puts before the lines of an error


def present(report: Any) -> None:
    """Let a test's report show the explanation of its error.

    The short summary and the message of a JUnit report then begin with the cause. They began with the name of
    the error, and were cut before the cause. On a terminal with colours each state has its own; pytest's
    `--color`, NO_COLOR, FORCE_COLOR and PY_COLORS decide. Everywhere else the text is as it was.

    Args:
        report: pytest's `TestReport`, also one that a worker of pytest-xdist has sent.
    """
    if not any(name == PROPERTY for name, _ in report.user_properties):
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        first = crash.message.partition("\n")[0]
        # Only once: a worker of pytest-xdist and its controller both come here.
        crash.message = re.sub(r"^[\w.]+Error: ", "", first)
    if hasattr(report.longrepr, "toterminal"):
        report.longrepr.toterminal = _painted(report.longrepr.toterminal)


def _painted(write: Callable[[Any], None]) -> Callable[[Any], None]:
    def toterminal(tw: Any) -> None:
        """Write the explanation, in colour where the terminal shows colours."""
        write(_Painter(tw) if tw.hasmarkup else tw)

    return toterminal


class _Painter:
    """Writes as pytest's writer does, but states of components in their own colours."""

    def __init__(self, tw: Any) -> None:
        self._tw = tw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tw, name)

    def line(self, text: str = "", **markup: bool) -> None:
        """Write a line."""
        bare = text.removeprefix(_MARGIN)
        (painted,) = coloured([bare])
        if painted == bare or not text.startswith(_MARGIN):
            self._tw.line(text, **markup)
        else:
            self._tw.line(f"{_MARGIN}{painted}")
