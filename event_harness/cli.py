"""The command `event-harness`: work outside a test session."""

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from event_harness.commands.parser import ENTRY, build, command
from event_harness.errors import HarnessError, SettingError
from event_harness.machine.boundary import explained


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 only if the command did everything it was asked to do."""
    # At its end Python walks through all objects that aren't frozen, several times: 0.3 s with boto3.
    atexit.register(gc.freeze)
    parser = build()
    if "_ARGCOMPLETE" in os.environ:
        command("completion", "answer")(parser)
    options, rest = parser.parse_known_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    if rest and options.command != "terraform":
        print(
            f"{ENTRY}: unknown argument {rest[0]!r}; see: {ENTRY} {options.command} --help", file=sys.stderr
        )
        return 2
    try:
        with explained():
            _check_project(options.project)
            if options.command not in ("up", "down", "completion"):
                from event_harness.commands.options import forget_what_a_gone_emulator_left

                forget_what_a_gone_emulator_left(options)
            run = options.run
            code = int(run(options, rest) if options.command == "terraform" else run(options))
            sys.stdout.flush()
            return code
    except HarnessError as error:
        print(f"{ENTRY}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{ENTRY}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads the output any more
        return 1


def _check_project(project: Path | None) -> None:
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise SettingError("the current directory was deleted; change to one that exists") from error
    if project is not None and not project.is_dir():
        raise SettingError(f"{project} is not a directory (--project); name the directory of a project")


if __name__ == "__main__":
    sys.exit(main())
