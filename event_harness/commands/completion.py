"""Completion in a shell: of commands, options, files and ids of deployments."""

import argparse
import os
from typing import Any

from event_harness.commands.options import state_dir
from event_harness.errors import HarnessError
from event_harness.machine import terminal
from event_harness.machine.boundary import explained

SHELLS = ("bash", "zsh", "fish")


def script(options: argparse.Namespace) -> int:
    """Print what a shell has to run to complete `event-harness`."""
    from argcomplete.shell_integration import shellcode

    terminal.say(shellcode(["event-harness"], shell=options.shell).strip())
    return 0


def answer(parser: argparse.ArgumentParser) -> None:
    """Answer a shell that asks how a command line could go on, and exit; return if none has asked."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)


def deployment_ids(parsed_args: argparse.Namespace, **_others: Any) -> list[str]:
    """The ids of the deployments on record; none if the records can't be read."""
    try:
        with explained():
            return sorted(one.name for one in (state_dir(parsed_args) / "deployments").iterdir())
    except HarnessError:
        return []
