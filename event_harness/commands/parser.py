"""The command line: every command with its options, its help and its examples.

It loads nothing heavy: a command is imported when it is called.
"""

import argparse
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

ENTRY = "event-harness"
_DESCRIPTION = "Lists, sweeps, replays and draws deployments, and prepares a project."
_ROOT = "the Terraform root; default: EVENT_HARNESS_ROOT, harness_root in the ini file, else here"


def command(module: str, function: str) -> Callable[..., Any]:
    """Return a command of `event_harness.commands` that is imported when it is called.

    So `--help` loads neither boto3 nor rich.
    """

    def run(*arguments: Any, **named: Any) -> Any:
        """Import the command and run it."""
        return getattr(import_module(f"event_harness.commands.{module}"), function)(*arguments, **named)

    return run


class _Version(argparse.Action):
    """Prints the version, which is looked up only if it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and exit."""
        from importlib.metadata import version

        print(f"{ENTRY} {version(ENTRY)}")
        parser.exit()


_EXIT_CODES = """
exit codes:
  0    the command did all that it was asked to do
  1    it did not, and the last line on stderr says why
  2    the command line is wrong
  130  it was interrupted
"""


def _add(commands: Any, name: str, does: str, examples: str, **more: Any) -> argparse.ArgumentParser:
    """Add a command.

    Args:
        commands: where.
        name: of the command.
        does: what it does, without a capital at its begin.
        examples: command lines without the program's name, one a line.
        more: for the parser.
    """
    shown = "\n".join(f"  {ENTRY} {line}" for line in examples.splitlines())
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=f"examples:\n{shown}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        **more,
    )
    return parser


def _ids(argument: argparse.Action) -> None:
    """Let a shell complete the ids of deployments."""
    argument.completer = command("completion", "deployment_ids")  # type: ignore[attr-defined]


def build() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog=ENTRY,
        description=_DESCRIPTION,
        epilog=f"examples:\n  {ENTRY} list\n  {ENTRY} sweep --help\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    parser.add_argument(
        "--project",
        type=Path,
        help="the directory that holds .event-harness; default: the nearest one, from here upwards",
    )
    parser.add_argument(
        "--state-dir", type=Path, help="the directory of the records; default: .event-harness in the project"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    by_tag = _where(
        "also look for tagged resources: on aws, or at the URL of an AWS emulator; default: records only"
    )
    listing = _add(
        commands,
        "list",
        "show deployments that are in progress, kept or left behind",
        "list\nlist --target aws\nlist --json",
        parents=[by_tag],
    )
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=command("deployments", "show"))

    sweeping = _add(
        commands,
        "sweep",
        "destroy what dead deployments left behind",
        "sweep --dry-run\nsweep --target aws\nsweep d1m8az809299wa",
        parents=[by_tag],
    )
    _ids(
        sweeping.add_argument(
            "deployment_id",
            nargs="*",
            help="destroy only these deployments, also kept ones; default: every dead deployment",
        )
    )
    sweeping.add_argument(
        "--remote-state",
        metavar="URL",
        help="with --target: also destroy what lost machines left, by its state in s3://BUCKET/PREFIX; "
        "default: the setting harness_remote_state",
    )
    sweeping.add_argument("--dry-run", action="store_true", help="only print what would be done")
    sweeping.add_argument("--json", action="store_true", help="print JSON at the end; progress is on stderr")
    sweeping.set_defaults(run=command("deployments", "sweep"))

    replaying = _add(
        commands,
        "redrive",
        "replay failed events after you have fixed the cause",
        "redrive --dry-run\nredrive --component orders\nredrive --resources map.json --target aws",
        parents=[_where("where the system of --resources is deployed: aws, or the URL of an AWS emulator")],
    )
    _ids(
        replaying.add_argument("deployment_id", nargs="?", help="a kept deployment; default: the newest one")
    )
    replaying.add_argument(
        "--resources",
        help="instead of a deployment: the state or resource map of a system, FILE.json, or ssm:PARAMETER",
    )
    replaying.add_argument(
        "--component",
        action="append",
        default=[],
        help="replay only what failed at this component; may be repeated",
    )
    replaying.add_argument("--dry-run", action="store_true", help="only print what would be replayed")
    replaying.set_defaults(run=command("redrive", "run"))

    drawing = _add(
        commands,
        "graph",
        "print how events pass through a system",
        "graph\ngraph --json\ngraph --state terraform.tfstate",
    )
    _ids(
        drawing.add_argument(
            "deployment_id",
            nargs="?",
            help="a deployment on record; default: the newest one, else the local state of the root",
        )
    )
    drawing.add_argument("--json", action="store_true", help="print JSON; default: a Mermaid flowchart")
    drawing.add_argument(
        "--state", help="a Terraform state, or what `terraform show -json` writes; - reads standard input"
    )
    drawing.add_argument("--resources", help="the state or resource map of a system, FILE.json")
    drawing.set_defaults(run=command("graph", "run"))
    system = argparse.ArgumentParser(
        add_help=False,
        parents=[_where("where the system of --resources is: aws, or the URL of an AWS emulator")],
    )
    system.add_argument(
        "--resources", help="instead of a deployment: the resource map of a system, FILE.json"
    )
    watching = _add(
        commands,
        "watch",
        "show the events of a deployment, live",
        "watch\nwatch --once --json",
        parents=[system],
    )
    _ids(
        watching.add_argument(
            "deployment_id",
            nargs="?",
            help="default: the newest in progress, else the newest kept, else the system on `up`",
        )
    )
    watching.add_argument("--json", action="store_true", help="print a line of JSON for each change")
    watching.add_argument("--once", action="store_true", help="print what is known now, and end")
    watching.set_defaults(run=command("watch", "run"))
    reading = _add(
        commands,
        "logs",
        "print the functions' log lines",
        "logs --follow\nlogs confirm --id 01M86P",
        parents=[system],
    )
    reading.add_argument("component", nargs="?", help="one function; default: all")
    _ids(
        reading.add_argument(
            "--deployment",
            dest="deployment_id",
            metavar="DEPLOYMENT_ID",
            help="a deployment on record; default: as for watch",
        )
    )
    reading.add_argument("--follow", "-f", action="store_true", help="go on until Ctrl-C")
    reading.add_argument("--id", help="only the lines of inputs whose correlation id contains this text")
    reading.set_defaults(run=command("logs", "run"))
    showing = _add(
        commands, "status", "show what is kept, where, and what has changed since", "status\nstatus --json"
    )
    showing.add_argument("--json", action="store_true", help="print JSON")
    showing.set_defaults(run=command("kept", "status"))
    syncing = _add(
        commands,
        "sync",
        "give the functions of a kept deployment the code of the project as it is now",
        "sync\nsync d1m8az809299wa",
    )
    _ids(syncing.add_argument("deployment_id", nargs="?", help="a kept deployment; default: the newest one"))
    syncing.set_defaults(run=command("kept", "sync"))

    starting = _add(
        commands, "up", "start a lasting local AWS emulator", "up\nup --root infra --port 4566\nup --shell"
    )
    starting.add_argument("--port", type=_port, help="port of the emulator; default: a free one")
    starting.add_argument(
        "--shell",
        nargs="?",
        const=os.environ.get("SHELL") or "/bin/sh",
        help="then start a shell that uses the emulator; default: $SHELL",
    )
    starting.add_argument("--root", type=Path, help=_ROOT)
    starting.add_argument(
        "--iam",
        metavar="on|off",
        help="off: functions may do everything, whatever their roles allow; default: on",
    )
    starting.set_defaults(run=command("emulator", "up"))
    ending = _add(commands, "down", "end the emulator that `up` started", "down")
    ending.add_argument("--root", type=Path, help=_ROOT)
    ending.set_defaults(run=command("emulator", "down"))

    formatting = _add(commands, "fmt", "run terraform fmt", "fmt .\nfmt --check modules")
    formatting.add_argument("--check", action="store_true", help="only print which files would change")
    formatting.add_argument("directory", nargs="+", type=Path, help="with everything below it")
    formatting.set_defaults(run=command("terraform", "fmt"))
    validating = _add(commands, "validate", "run terraform validate on a copy", "validate . modules/queue")
    validating.add_argument("directory", nargs="+", type=Path, help="a Terraform root or a module")
    validating.set_defaults(run=command("terraform", "validate"))
    asking = _add(
        commands,
        "configure",
        "ask for each variable of the Terraform root and save the answers",
        "configure --save deploy.tfvars",
    )
    asking.add_argument(
        "--save",
        type=Path,
        default=Path("deploy.tfvars"),
        help="the file for the answers; default: deploy.tfvars",
    )
    asking.add_argument("--root", type=Path, help=_ROOT)
    asking.set_defaults(run=command("terraform", "configure"))
    running = _add(
        commands,
        "terraform",
        "run the terraform or tofu that the harness would use",
        "terraform version\nterraform output -json event_harness",
        usage=f"{ENTRY} terraform [-h] ARGUMENT ...",
    )
    running.set_defaults(run=command("terraform", "terraform"))

    beginning = _add(
        commands,
        "init",
        "write what the first event test of a project needs",
        "init --dry-run\ninit --root infra\ninit --yes --no-deploy",
    )
    beginning.add_argument("--root", type=Path, help=_ROOT)
    beginning.add_argument("--dry-run", action="store_true", help="only show what would be written")
    beginning.add_argument("--yes", action="store_true", help="ask nothing, and take every default")
    beginning.add_argument(
        "--no-deploy",
        action="store_true",
        help="ask for the system's ends instead of deploying a copy to a local AWS emulator",
    )
    beginning.add_argument("--source", help="where Terraform gets the module event_listener from")
    beginning.set_defaults(run=command("init", "run"))
    diagnosing = _add(
        commands,
        "doctor",
        "say what is there and what is missing, with the command that fixes it",
        "doctor\ndoctor --target aws\ndoctor --json",
        parents=[
            _where("where tests will run: local, aws, or the URL of an AWS emulator; default: as for tests")
        ],
    )
    diagnosing.add_argument("--root", type=Path, help=_ROOT)
    diagnosing.add_argument("--json", action="store_true", help="print JSON")
    diagnosing.set_defaults(run=command("doctor", "run"))

    completing = _add(
        commands,
        "completion",
        "print the completion for a shell",
        "completion bash >> ~/.bashrc\n"
        'completion zsh > "${fpath[1]}/_event-harness"\n'
        "completion fish > ~/.config/fish/completions/event-harness.fish",
    )
    completing.add_argument("shell", choices=("bash", "zsh", "fish"))
    completing.set_defaults(run=command("completion", "script"))
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
