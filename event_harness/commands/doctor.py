"""The command doctor: says what is there and what is missing, each with the command that fixes it."""

import argparse
import json
import shutil
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path

from event_harness.commands import checks
from event_harness.commands.options import project, root, settings, state_dir
from event_harness.errors import HarnessError, printable
from event_harness.machine import terminal

_WIDEST = 100  # of a line, where the output is no terminal


def run(options: argparse.Namespace) -> int:
    """Look at everything that a test session needs; returns 1 if something is missing."""
    if options.project is None and options.root is None and not any(Path.cwd().glob("*.tf*")):
        options.project = project(options)  # also from a directory below it
    known, rootdir = settings(options, target=options.target, region=options.region)
    asked = checks.Asked(known, rootdir, state_dir(options), lambda: root(options))
    found = []
    for name, look in checks.ALL.items():
        try:
            found.append(look(asked).named(name))
        except HarnessError as error:
            found.append(checks.Finding(checks.MISSING, str(error)).named(name))
        if not options.json:
            _say(found[-1])
    missing = [one.name for one in found if one.state == checks.MISSING]
    if options.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        terminal.say(f"{len(missing)} missing: {', '.join(missing)}" if missing else "nothing is missing")
    return 1 if missing else 0


def _say(one: checks.Finding) -> None:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDEST
    head = f"{one.state:8}{one.name:13}"
    for start, text in ((head, one.says), (f"{'':8}{'':13}", f"fix it: {one.fix}" if one.fix else "")):
        for line in textwrap.wrap(
            printable(text),
            width,
            initial_indent=start,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        ):
            terminal.say(line)
