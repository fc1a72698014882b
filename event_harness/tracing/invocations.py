"""The invocations of a function, with their times and inputs: from its log, and from the emulator's."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from event_harness.explaining.log_lines import Line
from event_harness.explaining.platform_log import NOT_STARTED, why_of
from event_harness.tracing.attribution import Attribution

_EMULATED = re.compile(
    r"^\S+ \S+ INFO \[\S+\] invocation (?P<request>\S+) of (?P<name>\S+) (?P<what>begins|ends)"
    r" at (?P<at>\d+\.\d+)(?: for (?P<ids>.+))?$",
    re.MULTILINE,
)


@dataclass
class Invocation:
    """One invocation of a function: one attempt at its inputs.

    Attributes:
        component: Name of the component.
        request_id: Its Lambda request id, empty for a line of the platform that belongs to none. On AWS a
            retry has the id of the first try.
        start: When the handler began, epoch seconds; None if no line tells it.
        end: When it ended; None while it runs, or if no line tells it.
        error: The error that the log tells of; None if there is none.
        ids: The inputs that it worked on, as far as they are known.
        lines: Its lines in the log, in order.
        texts: The texts of them that may name an input.
    """

    component: str
    request_id: str
    start: float | None = None
    end: float | None = None
    error: str | None = None
    ids: set[str] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list, repr=False)
    texts: list[str] = field(default_factory=list, repr=False)


class Invocations:
    """All known invocations of a system's functions.

    A log may tell of an invocation before the journal tells of its input. So the inputs are looked up again
    whenever further ones have become known.

    Args:
        inputs: All known inputs.
    """

    def __init__(self, inputs: Attribution) -> None:
        self.all: list[Invocation] = []
        self._inputs = inputs
        self._known = -1  # number of inputs at the last look-up
        self._newest: dict[tuple[str, str], Invocation] = {}  # component, request -> its newest attempt
        self._logged: set[int] = set()  # invocations with a start line in the function's log
        self._not_started: dict[str, str] = {}  # component -> why; its invocation ends next

    def log(self, component: str, lines: Iterable[Line]) -> None:
        """Take further lines of a function's log, in order of time."""
        for line in lines:
            if line.request_id is None:  # the platform's, before the first invocation of a worker
                self.all.append(Invocation(component, "", lines=[line]))
                continue
            invocation = self._of(component, line.request_id, starts=line.starts)
            invocation.lines.append(line)
            self._note(invocation, line.text if line.correlation_id is None else line.correlation_id)
            at = line.at.timestamp()
            if line.starts:
                invocation.start = at if invocation.start is None else min(invocation.start, at)
            if line.ends:
                invocation.end = at if invocation.end is None else max(invocation.end, at)
                if line.duration is not None:  # the emulator writes all lines at the end
                    began = at - line.duration
                    invocation.start = began if invocation.start is None else min(invocation.start, began)
            if line.is_error:
                invocation.error = line.told_error

    def emulator_log(self, text: str, component_of: Callable[[str], str | None]) -> None:
        """Take further text of the emulator's own log.

        It tells of an invocation while it runs. It alone tells why a function can't start.

        Args:
            text: Whole lines.
            component_of: Returns the component of a function's name; None if it belongs to none.
        """
        found = [*_EMULATED.finditer(text), *NOT_STARTED.finditer(text)]
        for match in sorted(found, key=re.Match.start):
            component = component_of(match["name"])
            if component is None:
                continue
            if match.re is NOT_STARTED:
                self._not_started[component] = why_of(match)
                continue
            key, at = (component, match["request"]), float(match["at"])
            invocation = self._newest.get(key)
            if invocation is None:
                invocation = self._add(component, match["request"])
            if match["what"] == "begins":
                invocation.start = at
            else:
                invocation.end = at
                self._tell_not_started(invocation, at)
            self._note(invocation, match["ids"] or "")

    def by_input(self) -> dict[tuple[str, str], list[Invocation]]:
        """The invocations by correlation id and component, in order of time."""
        if self._known != len(self._inputs):
            self._known = len(self._inputs)
            for one in self.all:
                one.ids = one.ids.union(*map(self._inputs.named_in, one.texts))
        found: dict[tuple[str, str], list[Invocation]] = {}
        for one in sorted(self.all, key=lambda one: one.start or one.end or 0.0):
            for correlation_id in one.ids:
                found.setdefault((correlation_id, one.component), []).append(one)
        return found

    def by_request(self, component: str) -> dict[str, list[Invocation]]:
        """The invocations of one component by request id, in order of time."""
        found: dict[str, list[Invocation]] = {}
        for one in self.all:
            if one.component == component:
                found.setdefault(one.request_id, []).append(one)
        return found

    def _tell_not_started(self, invocation: Invocation, at: float) -> None:
        """Let an invocation that has ended tell why its function could not start, if that is so."""
        why = self._not_started.pop(invocation.component, None)
        if why is None:
            return
        invocation.error = f"can't start: {why}"
        moment = datetime.fromtimestamp(at if invocation.start is None else invocation.start, UTC)
        told = invocation.error
        invocation.lines.insert(
            0, Line(moment, told, invocation.request_id, True, None, starts=False, whole=told)
        )

    def _note(self, invocation: Invocation, text: str) -> None:
        if self._inputs.may_name(text):
            invocation.texts.append(text)
            invocation.ids |= self._inputs.named_in(text)

    def _of(self, component: str, request_id: str, *, starts: bool) -> Invocation:
        known = self._newest.get((component, request_id))
        if known is None or (starts and id(known) in self._logged):
            known = self._add(component, request_id)
        if starts:
            self._logged.add(id(known))
        return known

    def _add(self, component: str, request_id: str) -> Invocation:
        made = self._newest[component, request_id] = Invocation(component, request_id)
        self.all.append(made)
        return made
