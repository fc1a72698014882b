"""The commands up and down: a local AWS emulator that outlives the command."""

import argparse
import os
import sys

from event_harness.commands.options import project, root
from event_harness.deployments import up as lasting
from event_harness.machine import terminal
from event_harness.machine.interrupts import orderly_interrupts
from event_harness.settings import BY_NAME, STATE_DIR, Settings, parse


def up(options: argparse.Namespace) -> int:
    """Start a local AWS emulator that runs until `down`."""
    with orderly_interrupts():
        iam = parse(BY_NAME["iam"], options.iam, "--iam") if options.iam else Settings()["iam"]
        aws = lasting.up(root(options), port=options.port, enforce_roles=iam == "on")
    if options.shell:
        environ = lasting.shell_environ(aws)
        terminal.say("a shell on the emulator begins; `exit` leaves it, and the emulator goes on")
        sys.stdout.flush()
        os.execvpe(options.shell, [options.shell], environ)  # noqa: S606 (the user's own shell)
    return 0


def down(options: argparse.Namespace) -> int:
    """End the emulator of `up`."""
    with orderly_interrupts():
        of_root = root(options)
        lasting.down(of_root if (of_root / STATE_DIR / "up.json").exists() else project(options))
    return 0
