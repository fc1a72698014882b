"""Finds the system whose events a person wants to follow: in progress, kept, or deployed on `up`."""

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from event_harness.aws.targets import Target
from event_harness.deployments.journals import published
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.records import recorded
from event_harness.deployments.session import Session
from event_harness.errors import SettingError
from event_harness.settings import Settings
from event_harness.system.deployed_system import OUTPUT, DeployedSystem
from event_harness.system.resources import ResourceMap
from event_harness.terraform import toolchain

_FINISHED = ("destroy", "destroyed")


@dataclass(frozen=True)
class Followed:
    """A system to follow.

    Attributes:
        name: Its deployment id, or what it is.
        directory: The directory of its deployment; None if it has none.
        record: The record of its deployment; None if it has none.
    """

    name: str
    directory: Path | None = None
    record: DeploymentRecord | None = None

    @property
    def gone(self) -> bool:
        """Whether the deployment has been destroyed."""
        return self.directory is not None and not (self.directory / "record.json").exists()


def find(state_dir: Path, which: str | None) -> Followed:
    """Find a deployment by its id; by default the newest one in progress, then the newest kept one.

    Raises:
        SettingError: There is none.
    """
    there = [record for record in recorded(state_dir) if record.stage not in _FINISHED]
    alive = [record for record in there if record.kept or record.in_progress()]
    if which is not None:
        found = [record for record in there if record.deployment_id == which]
    else:
        found = [record for record in alive if not record.kept] or alive
    if found:
        record = found[-1]
        return Followed(record.deployment_id, record.directory, record)
    if which is None and (state_dir / "env").exists():
        return Followed("up")
    named = "is no deployment in progress or kept" if which else "no deployment is in progress or kept"
    ids = ", ".join(record.deployment_id for record in alive) or "none"
    raise SettingError(
        f"{f'{which!r} ' if which else ''}{named} in {state_dir}; there are: {ids};"
        " start pytest, or keep a deployment with pytest --harness-keep"
    )


def system_of(followed: Followed, project: Path, state_dir: Path) -> DeployedSystem | None:
    """The system itself; None as long as it is being deployed.

    Raises:
        HarnessError: It can't be reached.
    """
    if followed.directory is None or followed.record is None:
        return _on_up(project, state_dir)
    system = published(followed.directory)
    if system is None and followed.record.kept:
        session = Session(Settings({"reuse": followed.name, "state_dir": str(state_dir)}, {}), project)
        try:
            return session.system()
        finally:
            session.close()
    return system


def _on_up(project: Path, state_dir: Path) -> DeployedSystem:
    """The system that the user's own terraform has deployed to the emulator of `up`."""
    environ = _exported((state_dir / "env").read_text(encoding="utf-8"))
    binary = toolchain.find(target="local").binary
    command = [str(binary), "output", "-no-color", "-json", OUTPUT]
    done = subprocess.run(
        command, cwd=project, env=os.environ | environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SettingError(
            f"the local AWS emulator is up, but terraform in {project} has no output {OUTPUT!r}: deploy the"
            " system there with deploy_test_resources = true, after `. .event-harness/env`"
        )
    target = Target.emulator(environ["AWS_ENDPOINT_URL"], region=environ.get("AWS_REGION"))
    described = ResourceMap.from_mapping(json.loads(done.stdout), f"Terraform output {OUTPUT!r}")
    return DeployedSystem("", target, {}, described=described)


def _exported(shell: str) -> dict[str, str]:
    """The variables that lines `export NAME=VALUE` set."""
    exports = (shlex.split(line)[1:] for line in shell.splitlines() if line.startswith("export "))
    pairs = (word.split("=", 1) for words in exports for word in words if "=" in word)
    return {name: value for name, value in pairs if not value.startswith("$")}
