"""Tables for a terminal: no cell is ever cut, so ids and addresses can be copied."""

import shutil
import sys
import textwrap
from collections.abc import Sequence

_GAP, _INDENT = "  ", "    "


def lines(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """A table as lines. If it is wider than the terminal, each row becomes a few lines instead.

    Args:
        headers: of the columns.
        rows: the cells; the first one names its row.
        width: columns of the terminal; None: any width will do.
    """
    widths = [max(len(row[n]) for row in (headers, *rows)) for n in range(len(headers))]
    if width is None or sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        return [
            _GAP.join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
            for row in (headers, *rows)
        ]
    said = []
    for first, *others in rows:
        said.append(first)
        for header, cell in zip(headers[1:], others, strict=True):
            said += textwrap.wrap(
                f"{header}: {cell}",
                width,
                initial_indent=_INDENT,
                subsequent_indent=_INDENT * 2,
                break_long_words=False,
                break_on_hyphens=False,
            )
    return said


def terminal_width() -> int | None:
    """The columns of the terminal; None if the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
