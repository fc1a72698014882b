"""The commands up and down: a local AWS emulator that outlives the command."""

import argparse
from pathlib import Path

from event_harness.commands.options import project
from event_harness.deployments import up as lasting
from event_harness.machine.interrupts import orderly_interrupts


def up(options: argparse.Namespace) -> int:
    """Start a local AWS emulator that runs until `down`."""
    with orderly_interrupts():
        lasting.up(options.project or Path.cwd(), port=options.port)
    return 0


def down(options: argparse.Namespace) -> int:
    """End the emulator of `up`."""
    with orderly_interrupts():
        lasting.down(project(options))
    return 0
