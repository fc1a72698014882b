"""The command `event-harness`: list, sweep, redrive, and other work outside a test session."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from event_harness.errors import HarnessError, SettingError
from event_harness.machine.boundary import explained

ENTRY = "event-harness"
_ROOT = "the Terraform root; default: EVENT_HARNESS_ROOT, harness_root in the ini file, else here"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 only if the command did everything it was asked to do."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command != "terraform":
        print(f"{ENTRY}: unknown argument {rest[0]!r}; see: {ENTRY} --help", file=sys.stderr)
        return 2
    try:
        with explained():
            _check_project(options.project)
            command = options.run
            code = int(command(options, rest) if options.command == "terraform" else command(options))
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


def _command(module: str, function: str) -> Callable[..., Any]:
    """Return a command of `event_harness.commands` that is imported when it is called.

    So `--help` loads neither boto3 nor rich.
    """

    def run(*arguments: Any) -> Any:
        """Import the command and run it."""
        return getattr(import_module(f"event_harness.commands.{module}"), function)(*arguments)

    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=ENTRY, description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--project",
        type=Path,
        help="the directory that holds .event-harness; default: the nearest one, from here upwards",
    )
    parser.add_argument(
        "--state-dir", type=Path, help="the directory of the records; default: .event-harness in the project"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    by_tag = _where(
        "also look for tagged resources: on aws, or at the URL of an AWS emulator; default: records only"
    )
    listing = commands.add_parser(
        "list", parents=[by_tag], help="show deployments that are in progress or left behind"
    )
    listing.set_defaults(run=_command("deployments", "show"))

    sweeping = commands.add_parser(
        "sweep", parents=[by_tag], help="destroy what dead deployments left behind"
    )
    sweeping.add_argument(
        "deployment_id",
        nargs="*",
        help="destroy only these deployments, also kept ones; default: every dead deployment",
    )
    sweeping.add_argument("--dry-run", action="store_true", help="only print what would be done")
    sweeping.set_defaults(run=_command("deployments", "sweep"))

    replaying = commands.add_parser(
        "redrive",
        parents=[_where("where the system of --resources is deployed: aws, or the URL of an AWS emulator")],
        help="replay failed events after you have fixed the cause",
    )
    replaying.add_argument("deployment_id", nargs="?", help="a kept deployment; default: the newest one")
    replaying.add_argument(
        "--resources",
        help="instead of a deployment: the resource map of any system, FILE.json or ssm:PARAMETER",
    )
    replaying.add_argument(
        "--component",
        action="append",
        default=[],
        help="replay only what failed at this component; may be repeated",
    )
    replaying.add_argument("--dry-run", action="store_true", help="only print what would be replayed")
    replaying.set_defaults(run=_command("redrive", "run"))

    drawing = commands.add_parser("graph", help="print how events pass through a system")
    drawing.add_argument(
        "deployment_id",
        nargs="?",
        help="a deployment on record; default: the newest one, else the local state of the Terraform root",
    )
    drawing.add_argument("--json", action="store_true", help="print JSON; default: a Mermaid flowchart")
    drawing.add_argument(
        "--state", help="a Terraform state, or what `terraform show -json` writes; - reads standard input"
    )
    drawing.add_argument("--resources", help="the resource map of any system, FILE.json")
    drawing.set_defaults(run=_command("graph", "run"))
    system = argparse.ArgumentParser(add_help=False, parents=[_where("where the system of --resources is")])
    system.add_argument(
        "--resources", help="instead of a deployment: the resource map of a system, FILE.json"
    )
    watching = commands.add_parser("watch", parents=[system], help="show the events of a deployment, live")
    watching.add_argument(
        "deployment_id",
        nargs="?",
        help="default: the newest in progress, else the newest kept, else `up`",
    )
    watching.add_argument("--json", action="store_true", help="print a line of JSON for each change")
    watching.add_argument("--once", action="store_true", help="print what is known now, and end")
    watching.set_defaults(run=_command("watch", "run"))
    reading = commands.add_parser("logs", parents=[system], help="print the functions' log lines")
    reading.add_argument("component", nargs="?", help="one function; default: all")
    reading.add_argument("--deployment", dest="deployment_id", help="default: as for watch")
    reading.add_argument("--follow", "-f", action="store_true", help="go on until Ctrl-C")
    reading.add_argument("--id", help="only the lines of inputs whose correlation id contains this text")
    reading.set_defaults(run=_command("logs", "run"))
    showing = commands.add_parser("status", help="show what is kept, where, and what has changed since")
    showing.add_argument("--json", action="store_true", help="print JSON")
    showing.set_defaults(run=_command("kept", "status"))
    syncing = commands.add_parser(
        "sync", help="give the functions of a kept deployment the code of the project as it is now"
    )
    syncing.add_argument("deployment_id", nargs="?", help="a kept deployment; default: the newest one")
    syncing.set_defaults(run=_command("kept", "sync"))

    starting = commands.add_parser("up", help="start a lasting local AWS emulator")
    starting.add_argument("--port", type=_port, help="port of the emulator; default: a free one")
    starting.add_argument("--root", type=Path, help=_ROOT)
    starting.set_defaults(run=_command("emulator", "up"))
    ending = commands.add_parser("down", help="end the emulator that `up` started")
    ending.add_argument("--root", type=Path, help=_ROOT)
    ending.set_defaults(run=_command("emulator", "down"))

    formatting = commands.add_parser("fmt", help="run terraform fmt")
    formatting.add_argument("--check", action="store_true", help="only print which files would change")
    formatting.add_argument("directory", nargs="+", type=Path)
    formatting.set_defaults(run=_command("terraform", "fmt"))
    validating = commands.add_parser("validate", help="run terraform validate on a copy")
    validating.add_argument("directory", nargs="+", type=Path)
    validating.set_defaults(run=_command("terraform", "validate"))
    asking = commands.add_parser(
        "configure", help="ask for each variable of the Terraform root and save the answers"
    )
    asking.add_argument("--save", type=Path, default=Path("deploy.tfvars"))
    asking.add_argument("--root", type=Path, help=_ROOT)
    asking.set_defaults(run=_command("terraform", "configure"))
    running = commands.add_parser("terraform", help="run the terraform or tofu that the harness would use")
    running.set_defaults(run=_command("terraform", "terraform"))
    return parser


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 1 to 65535")


def _where(target: str) -> argparse.ArgumentParser:
    """Return the options of every command that connects to a target; `target` is the help of `--target`."""
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--target", help=target)
    where.add_argument("--region", help="AWS region of the target; default: as for tests")
    where.add_argument("--allow-remote", action="store_true", help="allow an emulator on another machine")
    return where


if __name__ == "__main__":
    sys.exit(main())
