"""Lines of progress while terraform applies or destroys."""

import contextlib
import re
from collections.abc import Callable

from event_harness.machine.clock import monotonic

EVERY = 3.0  # seconds


def harmless(say: Callable[[str], None] | None) -> Callable[[str], None]:
    """Wrap `say` so that it never raises: a closed terminal must not stop a destroy.

    Args:
        say: prints a line; None prints nothing.
    """

    def said(line: str) -> None:
        """Print a line if anybody can read it."""
        with contextlib.suppress(OSError, ValueError):  # a broken pipe, a closed file
            if say is not None:
                say(line)

    return said


class Progress:
    """Summarizes terraform's output: every few seconds one line says how many resources are done.

    Args:
        say: prints a line.
        verb: terraform's command, `apply` or `destroy`.
        clock: seconds, monotonic.

    Attributes:
        planned: whether terraform has printed its plan.
    """

    def __init__(self, say: Callable[[str], None], verb: str, clock: Callable[[], float] = monotonic) -> None:
        self.say = say
        self.verb = verb
        self.clock = clock
        self.began = self.said = clock()
        self.done = 0
        self.total = 0
        self.planned = False

    def __call__(self, line: str) -> None:
        """Take one line of terraform's output."""
        if planned := re.match(r"Plan: (\d+) to add, \d+ to change, (\d+) to destroy", line):
            self.planned = True
            self.done = 0  # a second attempt plans what the first hasn't done
            self.total = int(planned.group(1)) or int(planned.group(2))
        elif done := re.match(r"(\S+): (?:Creation|Destruction) complete after", line):
            self.done += 1
            now = self.clock()
            if self.done == self.total:
                self.say(f"{self.verb}: all {self.total} resources, {now - self.began:.1f} s")
            elif now - self.said >= EVERY:
                self.said = now
                self.say(f"{self.verb}: {self.done} of {self.total} resources, last {done.group(1)}")
