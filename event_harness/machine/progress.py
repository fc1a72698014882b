"""Lines of progress while terraform applies or destroys."""

import contextlib
import re
from collections.abc import Callable

from event_harness.machine.clock import monotonic
from event_harness.machine.spans import span

EVERY = 3.0  # seconds

_PLAN = re.compile(r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy")
_BEGINS = re.compile(r"(\S+): (?:Creating|Modifying|Destroying)\.\.\.")
_ENDS = re.compile(r"(\S+): (?:Creation|Modifications|Destruction) complete after")


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
    """Summarizes terraform's output: what is planned, every few seconds how much is done, and what is slow.

    `str(progress)` says how many resources are done.

    Args:
        say: prints a line.
        verb: terraform's command, `apply` or `destroy`.
        clock: seconds, monotonic.

    Attributes:
        planned: whether terraform has printed its plan.
        total: the number of resources to create, change or destroy; one that is replaced counts twice.
        done: the number of those that are done.
    """

    def __init__(self, say: Callable[[str], None], verb: str, clock: Callable[[], float] = monotonic) -> None:
        self.say = say
        self.verb = verb
        self.clock = clock
        self.began = self.said = clock()
        self.done = 0
        self.total = 0
        self.planned = False
        self._under_way: dict[str, float] = {}  # address -> when terraform has begun with it
        self._slowest = ("", 0.0)

    def __str__(self) -> str:
        return f"{self.done} of {self.total} resources"

    def __call__(self, line: str) -> None:
        """Take one line of terraform's output."""
        if planned := _PLAN.match(line):
            self.planned = True
            self.done = 0  # a second attempt plans what the first hasn't done
            create, change, destroy = map(int, planned.groups())
            self.total = create + change + destroy
            parts = {"create": create, "change": change, "destroy": destroy}
            told = ", ".join(f"{number} to {what}" for what, number in parts.items() if number)
            self.say(f"{self.verb}: planned: {told or 'nothing to do'}")
        elif begins := _BEGINS.match(line):
            self._under_way[begins[1]] = self.clock()
        elif ends := _ENDS.match(line):
            self._ended(ends[1])
        if self.total and self.done < self.total and self.clock() - self.said >= EVERY:
            self.said = self.clock()
            self.say(f"{self.verb}: {self}, {span(self.said - self.began)}{self._waiting()}")

    def _ended(self, address: str) -> None:
        self.done += 1
        now = self.clock()
        took = now - self._under_way.pop(address, now)
        self._slowest = max(self._slowest, (address, took), key=lambda one: one[1])
        if self.done == self.total:
            slow = f"; slowest: {self._slowest[0]}, {span(self._slowest[1])}" if self._slowest[1] >= 1 else ""
            self.say(f"{self.verb}: all {self.total} resources, {span(now - self.began)}{slow}")

    def _waiting(self) -> str:
        """What has been under way for longest, and how much else."""
        if not self._under_way:
            return ""
        address, began = next(iter(self._under_way.items()))
        more = f" and {len(self._under_way) - 1} more" if len(self._under_way) > 1 else ""
        return f"; under way: {address} for {span(self.clock() - began)}{more}"
