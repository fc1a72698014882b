"""The end of a test session: what it has deployed is destroyed, whatever else happens in pytest's hooks."""

import atexit
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from event_harness.errors import HarnessError
from event_harness.machine import command_line, interrupts


class Closable(Protocol):
    """Holds something that must be ended."""

    def close(self) -> None:
        """End it. After a HarnessError, whose message says what is left, it isn't tried again."""


class Ending:
    """Ends everything that was added, in the order of adding, at the first chance.

    Several hooks call `run`, since an error in another plugin's hook, or a second Ctrl-C, may skip any of
    them. The last chance is the end of the interpreter. Only the process that made this object ends
    anything: a forked child inherits the object and the hooks, but not the deployment.

    Args:
        complain: prints a line about something that is left, wherever pytest's own output goes.
        state_dir: the directory of the records.
    """

    def __init__(self, complain: Callable[[str], None], state_dir: Path) -> None:
        self._complain = complain
        self._process = os.getpid()
        self._open: list[Closable] = []
        self._complaints: set[str] = set()
        self._list = command_line.about_records(state_dir, "list")
        atexit.register(self.run)

    def add(self, one: Closable) -> None:
        """Let something be ended with this session."""
        self._open.append(one)

    @property
    def is_ours(self) -> bool:
        """Whether this process made this object. A forked child didn't."""
        return os.getpid() == self._process

    @property
    def failed(self) -> bool:
        """Whether something is left."""
        return bool(self._complaints)

    def run(self) -> None:
        """End everything that has not been ended yet. It may be called again, and never raises an error.

        Raises:
            KeyboardInterrupt: only after everything has been ended.
        """
        if not self.is_ours:
            return
        with interrupts.deferred():
            while self._open:
                try:
                    self._open[0].close()
                except HarnessError as error:
                    self._say(str(error))
                except BaseException as error:
                    why = f"{type(error).__name__}: {error}"
                    self._say(
                        f"the session's end failed, and something may be left: {why}; see: {self._list}"
                    )
                    return  # the next chance tries again
                self._open.pop(0)
            atexit.unregister(self.run)

    def _say(self, line: str) -> None:
        if line not in self._complaints:
            self._complaints.add(line)
            self._complain(line)
