"""Options that several commands share."""

import argparse
import os
from pathlib import Path

from event_harness.aws.targets import Target
from event_harness.machine.command_line import nearest_project
from event_harness.settings import BY_NAME, STATE_DIR, parse


def project(options: argparse.Namespace) -> Path:
    """The directory of `--project`. By default: the nearest one upwards that holds `.event-harness`."""
    if options.project is not None:
        return Path(options.project)
    return nearest_project(Path.cwd())


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
