"""The command logs: the lines of the functions, those of one input together."""

import argparse
import os
import sys
from collections.abc import Callable, Collection, Iterable

from event_harness.commands.log_sources import LogSources
from event_harness.commands.options import project, state_dir
from event_harness.commands.watch import follower_of, looks, opened
from event_harness.errors import SettingError, printable
from event_harness.explaining.log_lines import Line
from event_harness.machine import interrupts, terminal
from event_harness.system.resources import ResourceMap
from event_harness.tracing.invocations import Invocation
from event_harness.tracing.joining import LISTENER

_COLOURS = ("36", "33", "35", "34", "32", "96", "93", "95")
_ERROR = "1;31"


def run(options: argparse.Namespace) -> int:
    """Print the log lines of the functions; with --follow go on until Ctrl-C."""
    try:
        with interrupts.orderly_interrupts():
            return _logs(options)
    except KeyboardInterrupt:
        return 0  # the usual end of --follow


def _logs(options: argparse.Namespace) -> int:
    found, system = opened(options)
    names = _functions(system.resources)
    if options.component is None:
        wanted = names
    elif (name := system.resources.component_named(options.component)) in names:
        wanted = [name]
    else:
        raise SettingError(
            f"{options.component!r} is no function of this system; there are: {', '.join(names)}"
        )
    follower = follower_of(found, system, state_dir(options))
    sources = LogSources(project(options), system.resources, found.record)
    printer = _Printer(wanted, options.id, sources.told, colour=_colour())
    for _ in looks(found, follower, once=not options.follow):
        printer.probes = follower.recorded.ignored
        printer.show(follower.tracer.invocations.all)
        for component, why in follower.tracer.problems.items():
            if component in wanted:
                printer.complain(component, why)
    if options.id and not printer.shown and not options.follow:
        terminal.say_aside(f"no log line names {options.id!r}")
        return 1
    return 0


def _functions(resources: ResourceMap) -> list[str]:
    return [*(one.name for one in resources.components if one.log_group), LISTENER]


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _names(wanted: str, one: Invocation) -> bool:
    """Whether an invocation worked on such an input, or a line of it has that text."""
    texts = [text for line in one.lines for text in (line.text, line.correlation_id or "")]
    return any(wanted in text for text in (*one.ids, *texts))


class _Printer:
    """Prints the lines of invocations, each line once; those of one input stand together.

    Args:
        components: The components whose lines are shown.
        wanted: Only inputs whose id contains this text; None for all lines.
        told: The lines to print of a record of a component's log.
        colour: Give each component its colour.
    """

    def __init__(
        self,
        components: list[str],
        wanted: str | None,
        told: Callable[[str, Line], list[str]],
        *,
        colour: bool,
    ) -> None:
        self._components = components
        self._wanted = wanted
        self._told = told
        self._colour = colour
        self._width = max(map(len, components), default=0)
        self._printed: set[int] = set()  # lines
        self._headed: str | None = None
        self._complained: set[tuple[str, str]] = set()
        self.shown = 0
        self.probes: Collection[str] = ()  # ids of readiness probes

    def show(self, invocations: Iterable[Invocation]) -> None:
        """Print the lines that are new."""
        groups: dict[str, list[tuple[Line, str]]] = {}
        for one in invocations:
            if one.component not in self._components:
                continue
            mine = sorted(one.ids)
            if self._wanted is not None and not _names(self._wanted, one):
                continue
            key = ", ".join(mine) or self._wanted or "no input is named"
            new = [line for line in one.lines if id(line) not in self._printed and not line.marks_only]
            groups.setdefault(key, []).extend((line, one.component) for line in new)
        fresh = {key: lines for key, lines in groups.items() if lines}
        for key, lines in sorted(fresh.items(), key=lambda group: min(line.at for line, _ in group[1])):
            if key != self._headed:
                self._headed = key
                probe = " (readiness probe)" if key in self.probes else ""
                terminal.say(f"{'' if not self.shown else chr(10)}{key}{probe}")
            for line, component in sorted(lines, key=lambda pair: pair[0].at):
                self._printed.add(id(line))
                self.shown += 1
                self._print(line, component)

    def complain(self, component: str, why: str) -> None:
        """Say once why a log can't be read."""
        if (component, why) not in self._complained:
            self._complained.add((component, why))
            terminal.say_aside(f"the log of {component} can't be read: {why}")

    def _print(self, line: Line, component: str) -> None:
        name = printable(f"{component:<{self._width}}")
        at = f"{line.at:%H:%M:%S}.{line.at.microsecond // 1000:03}"
        texts = [printable(text) for text in self._told(component, line)]
        if self._colour:
            code = _COLOURS[self._components.index(component) % len(_COLOURS)]
            name = f"\x1b[{code}m{name}\x1b[0m"
            texts = [f"\x1b[{_ERROR}m{text}\x1b[0m" if line.is_error else text for text in texts]
        for number, text in enumerate(texts):
            print(f"  {name}  {at if number == 0 else ' ' * len(at)} {text}".rstrip(), flush=True)
