"""The command redrive."""

import argparse
import os
from pathlib import Path

from event_harness.commands.options import project, state_dir
from event_harness.deployments.records import recorded
from event_harness.deployments.session import Session
from event_harness.errors import SettingError
from event_harness.machine.command_line import spelled
from event_harness.results.redrive import redrive
from event_harness.settings import BY_NAME, Settings


def run(options: argparse.Namespace) -> int:
    """Replay failed events at the component where they failed."""
    settings = _settings(options)
    by_default = settings.origin("reuse") == "default" and settings["reuse"] == "last"
    if by_default and not any(record.kept for record in recorded(state_dir(options))):
        raise SettingError(_nothing_kept())
    # A path in --resources is relative to the current directory.
    where = options.project or (Path.cwd() if options.resources else project(options))
    session = Session(settings, where)
    try:
        system = session.system()
        return redrive(system.resources, system.target, components=options.component, dry_run=options.dry_run)
    finally:
        session.close()


def _nothing_kept() -> str:
    writing = spelled("terraform", "output", "-json", "event_harness")
    return (
        "no deployment was kept here (--harness-keep), so name the system. For one that Terraform deployed, "
        f"as `make deploy` does: {writing} > map.json, then: "
        f"{spelled('redrive', '--resources', 'map.json', '--target', 'aws')}"
    )


def _settings(options: argparse.Namespace) -> Settings:
    """Return the settings that select a system.

    The command line comes first, then the environment; the newest kept deployment is the default.
    """
    asked = ("resources", "target", "region", "allow_remote")
    given = {name: getattr(options, name) for name in asked} | {"reuse": options.deployment_id}
    spelt = {name: f"--{name.replace('_', '-')}" for name in asked} | {"reuse": "DEPLOYMENT_ID"}
    variables = [BY_NAME[name].variable for name in ("resources", "reuse")]
    named = options.resources or options.deployment_id
    if not named and not any(variable in os.environ for variable in variables):
        given["reuse"], spelt["reuse"] = "last", "default"
    environ = {name: text for name, text in os.environ.items() if not (named and name in variables)}
    return Settings(given, environ, spelt=spelt)
