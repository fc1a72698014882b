"""One test session's system: made ready on first use, taken down at the end, whatever happens between.

Works without pytest; the plugin and the demonstration both use it.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.ownership import PROCESS_MARK
from event_harness.aws.targets import Target
from event_harness.deployments import record as records
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import HarnessError, SettingError
from event_harness.machine.progress import harmless
from event_harness.settings import STATE_DIR, Settings
from event_harness.system.deployed_system import DeployedSystem
from event_harness.system.resources import ResourceMap
from event_harness.terraform import configuration, toolchain
from event_harness.terraform.toolchain import Toolchain


class Session:
    """The system under test of one session.

    Args:
        settings: what was asked for.
        project: the directory that relative paths are relative to; runs are recorded below it.
        say: prints a line of progress.
    """

    def __init__(
        self, settings: Settings, project: Path, *, say: Callable[[str], None] | None = None
    ) -> None:
        self.settings = settings
        self.project = project
        self.say = harmless(say)
        self.state_dir = project / STATE_DIR
        self.deployment: Deployment | None = None
        self._system: DeployedSystem | None = None
        self._open = ExitStack()
        self._interrupted = threading.Event()

    @property
    def root(self) -> Path:
        """The Terraform root."""
        return (self.project / str(self.settings["root"])).resolve()

    def system(self) -> DeployedSystem:
        """The system, deployed (or found, if it is to be reused) when first asked for.

        Raises:
            HarnessError: of many kinds; each says what to do.
        """
        if self._system is None:
            resources, reuse = self.settings["resources"], self.settings["reuse"]
            if resources and reuse:
                raise SettingError(
                    f"resources is {resources!r} ({self.settings.origin('resources')}) and reuse is "
                    f"{reuse!r} ({self.settings.origin('reuse')}): these are two systems, give one of them"
                )
            if resources:
                self._system = self._described(resources)
            elif reuse:
                self._system = self._kept(reuse)
            else:
                self._system = self._deployed()
        return self._system

    def interrupt(self) -> None:
        """From another thread: end an apply under way as Ctrl-C would; what it has created is destroyed."""
        self._interrupted.set()

    def destroy(self) -> None:
        """Destroy what was deployed, unless it is to be kept. The target stays, to be asked what is left.

        Raises:
            DestroyError: something is left; the message says how to finish.
        """
        deployment, self.deployment, self._system = self.deployment, None, None
        if deployment is None:
            return
        if self.settings["keep"]:
            record = deployment.record
            record.kept = True
            record.save()
            self.say(
                f"kept deployment {record.deployment_id}; test it again with --harness-reuse={record.deployment_id}, "
                f"destroy it with: event-harness sweep {record.deployment_id}"
            )
            return
        deployment.destroy()

    def close(self) -> None:
        """Destroy what is still deployed, and end the local AWS emulator.

        Raises:
            DestroyError: something is left; the message says how to finish.
        """
        with self._open:
            self.destroy()

    def _deployed(self) -> DeployedSystem:
        wanted = self.settings["target"]
        # What is there already is asked first: wrong credentials are said before anything is fetched.
        target = None if wanted == "local" else self._existing_target()
        tools = self._tools(wanted)
        record = DeploymentRecord.create(
            self.state_dir, root=self.root, target=wanted, ttl=timedelta(hours=self.settings["ttl"])
        )
        try:
            target = target or self._own_emulator(record)
            record.endpoint_url, record.region = target.endpoint_url, target.region
            record.account = "" if target.endpoint_url else target.check().account
            record.save()
            self.deployment = Deployment(
                self.root,
                target,
                tools,
                record,
                variables=self.settings["var"],
                say=self.say,
                interrupted=self._interrupted,
            )
            return self.deployment.apply()
        except BaseException:
            # A deployment that failed has destroyed itself; where it couldn't, its record stays.
            if record.stage in ("new", "init"):
                record.delete(keep_logs=True)
            self.deployment = None
            self._open.close()
            if record.own_emulator:
                LocalEmulator.end(record.directory / "aws")  # also one that would have been kept
            raise

    def _tools(self, target: str) -> Toolchain:
        return toolchain.find(
            self.settings["terraform"],
            target="aws" if target == "aws" else "local",
            origin=self.settings.origin("terraform"),
            providers=self.settings["providers"],
            progress=self.say,
        )

    def _own_emulator(self, record: DeploymentRecord) -> Target:
        self.say("starting the local AWS emulator")
        aws = LocalEmulator.start(
            record.directory / "aws",
            lasting=self.settings["keep"],
            environ={PROCESS_MARK: record.deployment_id},
        )
        record.own_emulator = True
        if not self.settings["keep"]:
            self._open.callback(aws.stop)
        return Target.local(aws.endpoint_url, region=self.settings["region"])

    def _existing_target(self, region: str | None = None) -> Target:
        wanted, region = self.settings["target"], self.settings["region"] or region
        if wanted == "aws":
            target = Target.aws(region=region)
        else:
            target = Target.emulator(wanted, region=region, allow_remote=self.settings["allow_remote"])
        target.check()
        return target

    def _described(self, where: str) -> DeployedSystem:
        if self.settings["target"] == "local":
            raise SettingError(
                f"resources is {where!r}, but the target is local: a system that is already there is on aws "
                f"or on a running emulator ({self.settings.option('target')}=aws or =http://127.0.0.1:PORT)"
            )
        if where.startswith("ssm:"):
            target = self._existing_target()
            found = ResourceMap.from_ssm(where.removeprefix("ssm:"), target)
        else:
            found = ResourceMap.from_file(self.project / where)
            target = self._existing_target(found.region)
        if target.region != found.region:
            raise SettingError(
                f"{found.origin} describes a system in {found.region}, but the region is {target.region} "
                f"({self.settings.origin('region')}); "
                f"set it with {self.settings.option('region')}={found.region}"
            )
        return DeployedSystem("", target, {}, described=found)

    def _kept(self, which: str) -> DeployedSystem:
        kept = [record for record in records.recorded(self.state_dir) if record.kept]
        found = [record for record in kept if which in ("last", record.deployment_id)]
        if not found:
            there = ", ".join(record.deployment_id for record in kept) or "none"
            raise SettingError(
                f"reuse is {which!r} ({self.settings.origin('reuse')}), but no such deployment was kept; "
                f"there: {there}; keep one with pytest --harness-keep (it takes a path after --harness-reuse"
                " for the deployment: write --harness-reuse=RUN, or give paths before it)"
            )
        record = found[-1]
        try:
            self._open.enter_context(record.held(shared=True))
        except OSError as error:
            raise SettingError(
                f"deployment {record.deployment_id} is being swept and can't be reused"
            ) from error
        try:
            target = record.find_target()
        except HarnessError as error:
            raise SettingError(
                f"deployment {record.deployment_id} can't be reused: {error}; clear it away with: "
                f"event-harness sweep {record.deployment_id}"
            ) from error
        self._say_what_changed(record)
        return Deployment(record.configuration_dir, target, self._tools(record.target), record).system()

    def _say_what_changed(self, record: DeploymentRecord) -> None:
        """A kept deployment runs the code that it was applied with, which is easily forgotten."""
        if Path(record.root).resolve() != self.root.resolve():
            return
        try:
            files = configuration.changed(self.root, record.configuration_dir)
        except (HarnessError, OSError):
            return  # what can't be read now was read then
        if files:
            more = f" and {len(files) - 3} more" if len(files) > 3 else ""
            self.say(
                f"deployment {record.deployment_id} is tested as it was applied; changed since: {', '.join(files[:3])}{more}"
            )
