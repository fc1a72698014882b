"""Options that several commands share."""

import argparse
from pathlib import Path

from event_harness.aws.targets import Target
from event_harness.settings import STATE_DIR


def state_dir(options: argparse.Namespace) -> Path:
    """The directory of the project's records."""
    return Path(options.project) / STATE_DIR


def target(options: argparse.Namespace) -> Target | None:
    """The target of `--target`, after a check that it answers; None without that option."""
    if options.target is None:
        return None
    if options.target == "aws":
        asked = Target.aws(region=options.region)
    else:
        asked = Target.emulator(options.target, region=options.region, allow_remote=options.allow_remote)
    asked.check()
    return asked
