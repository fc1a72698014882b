"""The command `event-harness`: what is done beside a test run."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from event_harness.aws.targets import Target
from event_harness.deployments import record as records
from event_harness.deployments import unrecorded
from event_harness.deployments.session import Session
from event_harness.deployments.sweep import sweep, sweep_by_tag
from event_harness.deployments.up import down, up
from event_harness.errors import HarnessError, SettingError
from event_harness.orphans import orphans
from event_harness.results.redrive import redrive
from event_harness.settings import BY_NAME, Settings
from event_harness.terraform import configuration, toolchain
from event_harness.terraform.command import Terraform
from event_harness.terraform.guided import configure
from event_harness.terraform.overrides import write_override
from event_harness.terraform.provider_3_39.fetched_modules import adapt_fetched_modules

ENTRY = "event-harness"


def main(arguments: Sequence[str] | None = None) -> int:
    """DeploymentRecord one command; its exit code is 0 only if it has done all that it was asked to."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command != "terraform":
        print(f"{ENTRY}: unknown argument {rest[0]!r}; see: {ENTRY} --help", file=sys.stderr)
        return 2
    try:
        return int(options.run(options, rest))
    except HarnessError as error:
        print(f"{ENTRY}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{ENTRY}: interrupted", file=sys.stderr)
        return 130


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
    listing.set_defaults(run=_list)

    sweeping = commands.add_parser("sweep", parents=[by_tag], help="destroy what dead deployments have left")
    sweeping.add_argument(
        "deployment_id",
        nargs="*",
        help="only these deployments, kept ones too; default: every dead deployment",
    )
    sweeping.add_argument("--dry-run", action="store_true", help="only say what would be done")
    sweeping.set_defaults(run=_sweep)

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
    replaying.set_defaults(run=_redrive)

    starting = commands.add_parser("up", help="start a lasting local AWS emulator")
    starting.add_argument("--port", type=int, help="default: a free one")
    starting.set_defaults(run=_up)
    ending = commands.add_parser("down", help="end it")
    ending.set_defaults(run=_down)

    formatting = commands.add_parser("fmt", help="terraform fmt")
    formatting.add_argument("--check", action="store_true", help="only say which files would change")
    formatting.add_argument("directory", nargs="+", type=Path)
    formatting.set_defaults(run=_fmt)
    validating = commands.add_parser("validate", help="terraform validate, on a copy")
    validating.add_argument("directory", nargs="+", type=Path)
    validating.set_defaults(run=_validate)
    asking = commands.add_parser(
        "configure", help="ask for each variable of the Terraform root, save the answers"
    )
    asking.add_argument("--save", type=Path, default=Path("deploy.tfvars"))
    asking.set_defaults(run=_configure)
    running = commands.add_parser("terraform", help="run the terraform or tofu that the harness would use")
    running.set_defaults(run=_terraform)
    return parser


def _where(target: str) -> argparse.ArgumentParser:
    """What the commands that look at a target have in common; `target` is the help of that option."""
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--target", help=target)
    where.add_argument("--region", help="AWS region of the target; default: as for tests")
    where.add_argument("--allow-remote", action="store_true", help="the emulator may be on another machine")
    return where


def _state_dir(options: argparse.Namespace) -> Path:
    return Path(options.project) / records.STATE_DIR


def _list(options: argparse.Namespace, _rest: list[str]) -> int:
    rows: list[tuple[str, str, str, str, str, datetime | None]] = []
    recorded = list(records.recorded(_state_dir(options)))
    for record in recorded:
        state = "in progress" if record.in_progress() else "kept" if record.kept else "left behind"
        rows.append(
            (
                record.deployment_id,
                record.endpoint_url or record.target,
                record.stage,
                state,
                record.owner,
                record.expires_at,
            )
        )
    lost = list(unrecorded.find(_state_dir(options)))
    rows += [(one.deployment_id, "?", "?", "record can't be read", "?", None) for one in lost if one.use()]
    if target := _target(options):
        for orphaned in orphans.find(target):
            if orphaned.deployment_id not in {record.deployment_id for record in recorded}:
                count = f"{len(orphaned.resources) + len(orphaned.others)} resources"
                state = "expired" if orphaned.expired(datetime.now(UTC)) else "not on record here"
                where = target.endpoint_url or target.name
                rows.append((orphaned.deployment_id, where, count, state, orphaned.owner, orphaned.expires))
    if not rows:
        print("no deployments: nothing is in progress, nothing was left behind")
        return 0
    table = Table("run", "target", "stage", "state", "owner", "expires", box=None)
    for column in table.columns:
        column.no_wrap = True  # ids and addresses are there to be copied
    for *texts, expires in rows:
        table.add_row(*texts, f"{expires:%Y-%m-%d %H:%M}" if expires else "?")
    # As wide as it needs: where a terminal is narrower it breaks the lines, and not the words.
    Console(width=500).print(table)
    return 0


def _target(options: argparse.Namespace) -> Target | None:
    if options.target is None:
        return None
    if options.target == "aws":
        target = Target.aws(region=options.region)
    else:
        target = Target.emulator(options.target, region=options.region, allow_remote=options.allow_remote)
    target.check()
    return target


def _sweep(options: argparse.Namespace, _rest: list[str]) -> int:
    target = _target(options)
    state_dir = _state_dir(options)
    code = 0
    if (
        target and not options.deployment_id
    ):  # first: with what it removes goes the directory of a deployment without record
        code |= sweep_by_tag(state_dir, target, dry_run=options.dry_run, say=print)
    return code | sweep(state_dir, only=options.deployment_id, dry_run=options.dry_run, say=print)


def _redrive(options: argparse.Namespace, _rest: list[str]) -> int:
    session = Session(_redrive_settings(options), options.project)
    try:
        system = session.system()
        return redrive(system.resources, system.target, components=options.component, dry_run=options.dry_run)
    finally:
        session.close()


def _redrive_settings(options: argparse.Namespace) -> Settings:
    """The system that the command line names; where it names none, the environment's, or the newest deployment."""
    asked = ("resources", "target", "region", "allow_remote")
    given = {name: getattr(options, name) for name in asked} | {"reuse": options.deployment_id}
    spelt = {name: f"--{name.replace('_', '-')}" for name in asked} | {"reuse": "DEPLOYMENT_ID"}
    variables = [BY_NAME[name].variable for name in ("resources", "reuse")]
    named = options.resources or options.deployment_id
    if not named and not any(variable in os.environ for variable in variables):
        given["reuse"], spelt["reuse"] = "last", "default"
    environ = {name: text for name, text in os.environ.items() if not (named and name in variables)}
    return Settings(given, environ, spelt=spelt)


def _up(options: argparse.Namespace, _rest: list[str]) -> int:
    up(options.project, port=options.port)
    return 0


def _down(options: argparse.Namespace, _rest: list[str]) -> int:
    down(options.project)
    return 0


def _fmt(options: argparse.Namespace, _rest: list[str]) -> int:
    tools = toolchain.find(target="local")
    flags = ["-recursive", "-diff"] + (["-check"] if options.check else [])
    for directory in options.directory:
        command = [str(tools.binary), "fmt", *flags, str(directory)]
        if subprocess.run(command, env=os.environ | tools.environ(), check=False).returncode:
            return 1
    return 0


def _validate(options: argparse.Namespace, _rest: list[str]) -> int:
    tools = toolchain.find(target="local")
    for directory in options.directory:
        with tempfile.TemporaryDirectory(prefix="event-harness-") as scratch:
            work = Path(scratch)
            root = configuration.copy(directory, work / "config")
            write_override(root, endpoint_url=None, old_provider=tools.old_provider)
            environ = os.environ | tools.environ() | {"TF_DATA_DIR": str(work / "data")}
            terraform = Terraform(root, binary=tools.binary, environ=environ, logs=work / "logs")
            with tools.installing():
                terraform.init(backend=False)
            if tools.old_provider:
                adapt_fetched_modules(work / "data")
            print(f"{directory}: {terraform.execute_command('validate', '-no-color').out.strip()}")
    return 0


def _configure(options: argparse.Namespace, _rest: list[str]) -> int:
    configure(options.project, options.save)
    return 0


def _terraform(options: argparse.Namespace, rest: list[str]) -> int:
    local = "AWS_ENDPOINT_URL" in os.environ
    if not local and (Path(options.project) / records.STATE_DIR / "up.json").exists():
        raise SettingError(
            "`up` has put an override for the local AWS emulator into this root, but this shell points to no"
            f" emulator: `. {records.STATE_DIR}/env` to deploy there,"
            " or `make down` (event-harness down) first to deploy to AWS"
        )
    tools = toolchain.find(target="local" if local else "aws")
    environ = {
        k: v for k, v in os.environ.items() if not (k == "TF_CLI_CONFIG_FILE" and not Path(v).exists())
    }
    sys.stdout.flush()
    return subprocess.run([str(tools.binary), *rest], env=tools.environ() | environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
