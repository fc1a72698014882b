"""What is said while something is applied or destroyed."""

import contextlib
import re
import time
from collections.abc import Callable

EVERY = 3.0  # seconds


def harmless(say: Callable[[str], None] | None) -> Callable[[str], None]:
    """The same, but for errors: a terminal that is gone must not decide whether something is destroyed.

    Args:
        say: prints a line; None says nothing.
    """

    def said(line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a broken pipe, a closed file
            if say is not None:
                say(line)

    return said


class Progress:
    """Turns terraform's many lines into few: how many resources are done, of how many, every few seconds.

    Args:
        say: prints a line.
        verb: what terraform does, `apply` or `destroy`.
        clock: seconds, monotonic.

    Attributes:
        planned: whether terraform has come as far as to say what it will do.
    """

    def __init__(
        self, say: Callable[[str], None], verb: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.say = say
        self.verb = verb
        self.clock = clock
        self.began = self.said = clock()
        self.done = 0
        self.total = 0
        self.planned = False

    def __call__(self, line: str) -> None:
        """Take one line of terraform's."""
        if planned := re.match(r"Plan: (\d+) to add, \d+ to change, (\d+) to destroy", line):
            self.planned = True
            self.total = int(planned.group(1)) or int(planned.group(2))
        elif done := re.match(r"(\S+): (?:Creation|Destruction) complete after", line):
            self.done += 1
            now = self.clock()
            if self.done == self.total:
                self.say(f"{self.verb}: all {self.total} resources, {now - self.began:.1f} s")
            elif now - self.said >= EVERY:
                self.said = now
                self.say(f"{self.verb}: {self.done} of {self.total} resources, last {done.group(1)}")
