"""The command `event-harness`: what is done beside a test run."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from event_harness.errors import HarnessError

ENTRY = "event-harness"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code is 0 only if it has done all that it was asked to."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command != "terraform":
        print(f"{ENTRY}: unknown argument {rest[0]!r}; see: {ENTRY} --help", file=sys.stderr)
        return 2
    try:
        command = options.run
        return int(command(options, rest) if options.command == "terraform" else command(options))
    except HarnessError as error:
        print(f"{ENTRY}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{ENTRY}: interrupted", file=sys.stderr)
        return 130


def _command(module: str, function: str) -> Callable[..., Any]:
    """A command of `event_harness.commands`, loaded when it is called: `--help` needs neither boto3 nor rich."""

    def run(*arguments: Any) -> Any:
        return getattr(import_module(f"event_harness.commands.{module}"), function)(*arguments)

    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=ENTRY, description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--project", type=Path, default=Path.cwd(), help="where .event-harness lies; default: here"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    by_tag = _where("look by tag, too: aws, or the URL of an AWS emulator; default: the records only")
    listing = commands.add_parser(
        "list", parents=[by_tag], help="show the deployments that are in progress or were left behind"
    )
    listing.set_defaults(run=_command("deployments", "show"))

    sweeping = commands.add_parser("sweep", parents=[by_tag], help="destroy what dead deployments have left")
    sweeping.add_argument(
        "deployment_id",
        nargs="*",
        help="only these deployments, kept ones too; default: every dead deployment",
    )
    sweeping.add_argument("--dry-run", action="store_true", help="only say what would be done")
    sweeping.set_defaults(run=_command("deployments", "sweep"))

    replaying = commands.add_parser(
        "redrive",
        parents=[_where("where the system of --resources is: aws, or the URL of an AWS emulator")],
        help="replay failed events where they failed, once the cause is fixed",
    )
    replaying.add_argument("deployment_id", nargs="?", help="a kept deployment; default: the newest")
    replaying.add_argument(
        "--resources", help="a system deployed by anything instead: FILE.json or ssm:PARAMETER"
    )
    replaying.add_argument(
        "--component", action="append", default=[], help="only what failed there; may be repeated"
    )
    replaying.add_argument("--dry-run", action="store_true", help="only say what would be replayed")
    replaying.set_defaults(run=_command("redrive", "run"))

    starting = commands.add_parser("up", help="start a lasting local AWS emulator")
    starting.add_argument("--port", type=int, help="default: a free one")
    starting.set_defaults(run=_command("emulator", "up"))
    ending = commands.add_parser("down", help="end it")
    ending.set_defaults(run=_command("emulator", "down"))

    formatting = commands.add_parser("fmt", help="terraform fmt")
    formatting.add_argument("--check", action="store_true", help="only say which files would change")
    formatting.add_argument("directory", nargs="+", type=Path)
    formatting.set_defaults(run=_command("terraform", "fmt"))
    validating = commands.add_parser("validate", help="terraform validate, on a copy")
    validating.add_argument("directory", nargs="+", type=Path)
    validating.set_defaults(run=_command("terraform", "validate"))
    asking = commands.add_parser(
        "configure", help="ask for each variable of the Terraform root, save the answers"
    )
    asking.add_argument("--save", type=Path, default=Path("deploy.tfvars"))
    asking.set_defaults(run=_command("terraform", "configure"))
    running = commands.add_parser("terraform", help="run the terraform or tofu that the harness would use")
    running.set_defaults(run=_command("terraform", "terraform"))
    return parser


def _where(target: str) -> argparse.ArgumentParser:
    """What the commands that look at a target have in common; `target` is the help of that option."""
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--target", help=target)
    where.add_argument("--region", help="AWS region of the target; default: as for tests")
    where.add_argument("--allow-remote", action="store_true", help="the emulator may be on another machine")
    return where


if __name__ == "__main__":
    sys.exit(main())
