"""The command watch: the events of a system, live."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from event_harness.commands.events_table import counted, line_of, table
from event_harness.commands.options import project, state_dir, target
from event_harness.deployments import followed
from event_harness.deployments.followed import Followed
from event_harness.deployments.journals import journal_directory
from event_harness.errors import SettingError
from event_harness.machine import interrupts, terminal
from event_harness.machine.clock import timestamp
from event_harness.system.deployed_system import DeployedSystem
from event_harness.system.resources import ResourceMap
from event_harness.tracing.follower import Follower
from event_harness.tracing.timeline import Timeline

_EVERY = 0.5  # seconds between two looks
_AN_HOUR = 3600.0  # of the logs of a system without a record


def run(options: argparse.Namespace) -> int:
    """Show the events of a deployment until it is destroyed, or until Ctrl-C."""
    try:
        with interrupts.orderly_interrupts():
            return _watch(options)
    except KeyboardInterrupt:
        return 0  # the usual end


def _watch(options: argparse.Namespace) -> int:
    found, system = opened(options)
    follower = follower_of(found, system, state_dir(options))
    if options.json:
        show: Callable[[list[Timeline], str | None], None] = _Lines(_json_line)
    elif sys.stdout.isatty() and not options.once:
        return _live(found, system, follower)
    elif options.once:
        show = _Once(system)
    else:
        show = _Lines(line_of)
    for events in looks(found, follower, once=options.once):
        show(events, follower.problem)
    return 0


def opened(options: argparse.Namespace) -> tuple[Followed, DeployedSystem]:
    """The system that the options name; a deployment that is being applied is awaited.

    Raises:
        SettingError: There is none, or it ended before it was deployed.
    """
    if options.resources:
        described = ResourceMap.from_file(options.resources)
        asked = target(options)
        if asked is None:
            raise SettingError("--resources needs --target aws, or --target with the URL of an AWS emulator")
        return Followed(described.origin), DeployedSystem("", asked, {}, described=described)
    found = followed.find(state_dir(options), options.deployment_id)
    said = False
    while (system := followed.system_of(found, project(options), state_dir(options))) is None:
        if found.gone:
            raise SettingError(f"deployment {found.name} ended before it was deployed")
        if not said:
            said = True
            print(f"deployment {found.name} is being deployed; its events follow", file=sys.stderr)
        interrupts.pause(_EVERY)
    return found, system


def follower_of(found: Followed, system: DeployedSystem, records: Path) -> Follower:
    """What reads the events of a system."""
    directory = found.directory or journal_directory(system, records)
    since = found.record.created_at.timestamp() if found.record else timestamp() - _AN_HOUR
    return Follower(system, directory if directory.is_dir() else None, since)


def looks(found: Followed, follower: Follower, *, once: bool = False) -> Iterator[list[Timeline]]:
    """All events, again and again, until the deployment is destroyed."""
    while not found.gone:
        yield follower.look()
        if once:
            return
        interrupts.pause(_EVERY)
    terminal.say_aside(f"deployment {found.name} is destroyed")


class _Lines:
    """Prints a line for each event that is new or has changed."""

    def __init__(self, told: Callable[[Timeline], str]) -> None:
        self._told = told
        self._last: dict[str, str] = {}
        self._problem: str | None = None

    def __call__(self, events: list[Timeline], problem: str | None) -> None:
        for event in events:
            told = self._told(event)
            if self._last.get(event.correlation_id) != told:
                self._last[event.correlation_id] = told
                terminal.say(told)
        if problem and problem != self._problem:
            terminal.say_aside(f"the results can't be read: {problem}")
        self._problem = problem


def _json_line(event: Timeline) -> str:
    return json.dumps(event.to_dict())


class _Once:
    """Prints the table."""

    def __init__(self, system: DeployedSystem) -> None:
        self._system = system

    def __call__(self, events: list[Timeline], problem: str | None) -> None:
        from rich.console import Console

        console = Console(highlight=False)
        console.print(table(events, self._system.resources, console.width))
        print(counted(events, problem))


def _live(found: Followed, system: DeployedSystem, follower: Follower) -> int:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        for events in looks(found, follower):
            heading = Text(f"{found.name}: {counted(events, follower.problem)}")
            left = console.height - 1 - len(heading.wrap(console, console.width))
            shown = table(events[-console.height :], system.resources, console.width, left)
            live.update(Group(heading, shown), refresh=True)
    return 0
