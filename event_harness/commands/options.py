"""Options that several commands have in common."""

import argparse
from pathlib import Path

from event_harness.aws.targets import Target
from event_harness.settings import STATE_DIR


def state_dir(options: argparse.Namespace) -> Path:
    """Where the project's deployments are on record."""
    return Path(options.project) / STATE_DIR


def target(options: argparse.Namespace) -> Target | None:
    """The target that `--target` names, seen to answer; None if no target is named."""
    if options.target is None:
        return None
    if options.target == "aws":
        asked = Target.aws(region=options.region)
    else:
        asked = Target.emulator(options.target, region=options.region, allow_remote=options.allow_remote)
    asked.check()
    return asked
