"""The commands up and down: a local AWS emulator that outlives the command."""

import argparse

from event_harness.deployments import up as lasting


def up(options: argparse.Namespace) -> int:
    """Start a local AWS emulator that runs until `down`."""
    lasting.up(options.project, port=options.port)
    return 0


def down(options: argparse.Namespace) -> int:
    """End the emulator of `up`."""
    lasting.down(options.project)
    return 0
