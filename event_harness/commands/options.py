"""Options that several commands share."""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from event_harness.aws.targets import Target
from event_harness.commands import ini
from event_harness.errors import SettingError, printable
from event_harness.machine.command_line import nearest_project
from event_harness.settings import BY_NAME, STATE_DIR, Settings, parse
from event_harness.terraform.generated import IMPLICIT_PROVIDER, OVERRIDE


def project(options: argparse.Namespace) -> Path:
    """The directory of `--project`. By default: the nearest one upwards that holds `.event-harness`."""
    if options.project is not None:
        return Path(options.project)
    return nearest_project(Path.cwd())


def settings(options: argparse.Namespace, **given: str | None) -> tuple[Settings, Path]:
    """The settings of the environment and of pytest's ini file, and pytest's rootdir.

    Args:
        options: of the command line, for `--project`.
        given: values of options of the same names, which come first.
    """
    rootdir, found = ini.find((options.project or Path.cwd()).resolve())
    spelt = {name: f"--{name.replace('_', '-')}" for name in given}
    return Settings(given, os.environ, found, spelt=spelt), rootdir


def root(options: argparse.Namespace) -> Path:
    """The Terraform root: `--root`, else what `--project` names, else the setting `root`, else here.

    Raises:
        SettingError: there is no such directory.
    """
    here = options.project or Path.cwd()
    if getattr(options, "root", None) is not None:
        found, origin = Path(options.root), "--root"
    elif options.project is not None and any(here.glob("*.tf*")):
        return Path(here)
    else:
        known, rootdir = settings(options)
        found, origin = rootdir / known["root"], known.origin("root")
        if origin == "default":
            return Path(here)
    if not found.is_dir():
        raise SettingError(f"{found} is no directory ({origin}): name the Terraform root")
    return found


def forget_what_a_gone_emulator_left(options: argparse.Namespace) -> None:
    """Take back what an `up` has left in the roots that a command is about, if its emulator is gone."""
    named = [one for one in getattr(options, "directory", []) if one.is_dir()]
    with contextlib.suppress(SettingError):  # the command itself says it
        named.append(root(options))
    roots = {Path.cwd(), project(options), *named}
    files = (OVERRIDE, IMPLICIT_PROVIDER, f"{STATE_DIR}/up.json")
    if any((one / name).exists() for one in roots for name in files):
        from event_harness.deployments import up_files

        up_files.forget_what_a_gone_one_left(roots, _on_stderr)


def _on_stderr(line: str) -> None:
    """Print a line where it spoils no JSON."""
    print(f"event-harness: {printable(line)}", file=sys.stderr)


def state_dir(options: argparse.Namespace) -> Path:
    """The directory of the records: `--state-dir`, else the setting's variable, else the project's own."""
    named = options.state_dir or os.environ.get(BY_NAME["state_dir"].variable) or STATE_DIR
    return project(options) / named


def target(options: argparse.Namespace) -> Target | None:
    """The target of `--target`, after a check that it answers; None without that option."""
    if options.target is None:
        return None
    name = parse(BY_NAME["target"], options.target, "--target")
    region = None if options.region is None else parse(BY_NAME["region"], options.region, "--region")
    if name == "local":
        return None  # such an emulator lives only as long as its test session
    if name == "aws":
        asked = Target.aws(region=region)
    else:
        asked = Target.emulator(name, region=region, allow_remote=options.allow_remote)
    asked.check()
    return asked
