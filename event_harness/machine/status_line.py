"""One line below the cursor of a terminal that is rewritten in place, while others write above it."""

import os
import threading
from collections.abc import Callable

from event_harness.errors import printable


class StatusLine:
    """Shows a line below the line on which another program's output ends, and puts the cursor back.

    Args:
        write: Writes text to the terminal.
        column: Returns how many characters of the current line are written.
        columns: Returns the width of the terminal.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        column: Callable[[], int] = lambda: 0,
        columns: Callable[[], int] = lambda: 80,
    ) -> None:
        self._write = write
        self._column = column
        self._columns = columns
        self._lock = threading.RLock()
        self._shown = False

    def show(self, text: str) -> None:
        """Show a text in place of the one before; an empty text removes it."""
        with self._lock:
            if not text and not self._shown:
                return
            down = "\x1b[1B\r" if self._shown else "\n"  # a line feed scrolls, if need be
            width = max(1, self._columns())
            line = printable(text).replace("\n", " ")
            line = line if len(line) < width else f"{line[: width - 2]}…"
            back = f"\x1b[1A\x1b[{self._column() % width + 1}G"
            self._write(f"{down}\x1b[2K{line}{back}")
            self._shown = bool(text)

    def clear(self) -> None:
        """Remove the line."""
        self.show("")


def terminal_width(descriptor: int) -> int:
    """The columns of the terminal behind a descriptor; 80 if it doesn't tell."""
    try:
        return os.get_terminal_size(descriptor).columns or 80
    except OSError:
        return 80
