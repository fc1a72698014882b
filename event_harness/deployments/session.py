"""The system under test of one session: deployed at first use, destroyed at the end.

It works without pytest: the plugin, `redrive` and the demonstration use it.
"""

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.deployments import emulator_end, kept, remote_state, up_files
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.own_emulator import OwnEmulator, ambient_region
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.recorded_toolchain import recorded_toolchain
from event_harness.errors import DestroyError, SettingError, StateError
from event_harness.machine import interrupts
from event_harness.machine.progress import harmless
from event_harness.settings import Settings
from event_harness.system.deployed_system import DeployedSystem
from event_harness.system.found_components import of_file
from event_harness.system.resources import ResourceMap
from event_harness.terraform import toolchain
from event_harness.terraform.toolchain import Toolchain


class Session:
    """The system under test of one session.

    Args:
        settings: the settings in force.
        project: relative paths start here, and deployments are recorded here.
        say: prints a line of progress.
        warn: prints a line from another thread, at any time; `say` by default.
        found: called once the system is there, with the record of its deployment if it has one.
    """

    def __init__(
        self,
        settings: Settings,
        project: Path,
        *,
        say: Callable[[str], None] | None = None,
        warn: Callable[[str], None] | None = None,
        found: Callable[[DeployedSystem, DeploymentRecord | None], None] | None = None,
    ) -> None:
        self.settings = settings
        self._found = found
        self._record: DeploymentRecord | None = None
        self._applied: Deployment | None = None
        self.project = project
        self.say = harmless(say)
        self.warn = harmless(warn or say)
        self.state_dir = project / str(settings["state_dir"])
        self.deployment: Deployment | None = None
        self._system: DeployedSystem | None = None
        self._open = ExitStack()
        self._interrupted = threading.Event()
        self._process = os.getpid()
        self._emulator = OwnEmulator(settings, self._open, self.warn)
        self._undestroyed: DeploymentRecord | None = None
        self._left = ""  # what a failed deployment has left, to be told again at the end

    @property
    def root(self) -> Path:
        """The Terraform root."""
        return (self.project / str(self.settings["root"])).resolve()

    def system(self) -> DeployedSystem:
        """The system under test, deployed or found at the first call.

        Raises:
            HarnessError: one of many kinds; its message says what to do.
        """
        if self._system is None:
            up_files.forget_what_a_gone_one_left([self.root], self.say)
            resources, reuse = self.settings["resources"], self.settings["reuse"]
            if resources and reuse:
                raise SettingError(
                    f"resources is {resources!r} ({self.settings.origin('resources')}) and reuse is "
                    f"{reuse!r} ({self.settings.origin('reuse')}): these are two systems, give one of them"
                )
            if self.settings["apply"] and not reuse:
                raise SettingError(
                    f"apply ({self.settings.origin('apply')}) brings a kept deployment up to date: name that "
                    f"one with {self.settings.option('reuse')}"
                )
            if resources:
                self._system = self._described(resources)
            elif reuse:
                self._system = self._kept(reuse)
            else:
                self._system = self._deployed()
            if self._found:
                self._found(self._system, self._record)
        return self._system

    @property
    def known_system(self) -> DeployedSystem | None:
        """The system if it is there. Nothing is deployed or looked up."""
        return self._system

    @property
    def record(self) -> DeploymentRecord | None:
        """The record of the deployment that it made or reused, also of one that failed."""
        return self._record

    def versions(self) -> dict[str, str]:
        """The versions of what this session has applied with; empty if it has applied nothing."""
        return self._applied.versions() if self._applied else {}

    def interrupt(self) -> None:
        """Stop a running apply, from another thread, as Ctrl-C would. What it has created is destroyed."""
        self._interrupted.set()

    def destroy(self) -> None:
        """Destroy the deployment, unless it is kept. The emulator goes on, so that it can be searched.

        With the setting `destroy = emulator` the emulator ends, if nothing of the deployment is outside.

        Raises:
            DestroyError: something is left; the message says how to finish.
        """
        with interrupts.deferred():
            if self.deployment is None:
                return
            deployment, self.deployment, self._system = self.deployment, None, None
            if self.settings["keep"] and self._keep(deployment.record):
                return
            by_emulator = self.settings["destroy"] == "emulator"
            if by_emulator and emulator_end.ended(deployment.record, self._open, self.say):
                return
            try:
                deployment.destroy()
            except DestroyError:  # its record stays, for a sweep, unless all ends with its own emulator
                self._undestroyed = deployment.record if deployment.record.own_emulator else None
                raise

    def _keep(self, record: DeploymentRecord) -> bool:
        """Record that the deployment is kept. Returns whether it can be: its state must be there."""
        try:
            record.managed_resources()
        except StateError as error:
            self.say(f"{error}, so deployment {record.deployment_id} can't be kept")
            return False
        record.kept = True
        record.save()
        self.say(
            f"kept deployment {record.deployment_id}; test it again with "
            f"--harness-reuse={record.deployment_id}, destroy it with: {record.command('sweep')}"
        )
        return True

    def close(self) -> None:
        """Destroy the deployment and stop the local AWS emulator. It may be repeated.

        A forked child inherits this object, but does nothing here: the deployment is its parent's.

        Raises:
            DestroyError: something is left; the message says how to finish.
        """
        if os.getpid() != self._process:
            return
        with interrupts.deferred():
            try:
                with self._open:
                    self.destroy()
            finally:
                if self._undestroyed:
                    self._end_with_emulator(self._undestroyed)
                    self._undestroyed = None
            left, self._left = self._left, ""
            if left:
                raise DestroyError(left)

    @staticmethod
    def _end_with_emulator(record: DeploymentRecord) -> None:
        """End a deployment's own emulator, also a lasting one, and with it all that was deployed."""
        LocalEmulator.end(record.directory / "aws")
        record.delete(keep_logs=True)

    def _deployed(self) -> DeployedSystem:
        wanted = self.settings["target"]
        # Check an existing target first: wrong credentials are reported before anything is downloaded.
        target = None if wanted == "local" else self._existing_target()
        tools = self._tools(wanted)
        with interrupts.deferred():
            return self._deploy(wanted, target, tools)

    def _deploy(self, wanted: str, target: Target | None, tools: Toolchain) -> DeployedSystem:
        record = DeploymentRecord.create(
            self.state_dir, root=self.root, target=wanted, ttl=timedelta(hours=self.settings["ttl"])
        )
        self._record = record
        try:
            target = target or self._started(record)
            record.endpoint_url, record.region = target.endpoint_url, target.region
            record.account = "" if target.endpoint_url else target.check().account
            record.remote_state = remote_state.wanted(self.settings, target, tools)
            record.save()
            self.deployment = self._applied = self._configured(tools, target, record)
            return self.deployment.apply()
        except BaseException as error:
            # A failed deployment has destroyed itself. If it couldn't, its record stays, and a note says so.
            if wanted != "local" and (notes := getattr(error, "__notes__", [])):
                self._left = notes[-1]
            self.deployment = None
            self._open.close()
            if wanted == "local":
                self._end_with_emulator(record)
            elif record.stage in ("new", "init"):
                record.delete(keep_logs=True)
            raise

    def _configured(self, tools: Toolchain, target: Target, record: DeploymentRecord) -> Deployment:
        return Deployment(
            self.root,
            target,
            tools,
            record,
            variables=self.settings["var"],
            var_files=[self._var_file(name) for name in self.settings["var_file"]],
            region_origin=self.settings.origin("region") if self.settings["region"] else "",
            project=self.project,
            exclude=self.settings["exclude"],
            include=self.settings["include"],
            say=self.say,
            interrupted=self._interrupted,
            check_target=self._emulator.check,
            answering=self._emulator.answering,
            retry=self.settings["retry"],
            workspace=self.settings["workspace"],
            check_permissions=bool(target.endpoint_url) and self.settings["iam"] == "on",
            shortcuts=self.settings["shortcuts"],
        )

    def _var_file(self, name: str) -> Path:
        """The file of that name: beside pytest's ini file, else beside the root, as for Terraform."""
        places = [self.project / name, self.root / name]
        if found := next((place for place in places if place.is_file()), None):
            return found
        raise SettingError(
            f"var_file is {name!r} ({self.settings.origin('var_file')}), but there is no such file in "
            f"{self.project} or {self.root}"
        )

    def _tools(self, target: str) -> Toolchain:
        return toolchain.find(
            self.settings["terraform"],
            target="aws" if target == "aws" else "local",
            origin=self.settings.origin("terraform"),
            providers=self.settings.providers(),
            providers_origin=self.settings.origin("providers"),
            progress=self.say,
        )

    def _started(self, record: DeploymentRecord) -> Target:
        self.say("starting the local AWS emulator")
        return self._emulator.start(record)

    def _existing_target(self, region: str | None = None) -> Target:
        wanted, region = self.settings["target"], self.settings["region"] or region
        if wanted == "aws":
            target = Target.aws(region=region)
        else:
            region = region or ambient_region()
            target = Target.emulator(wanted, region=region, allow_remote=self.settings["allow_remote"])
        target.check()
        return target

    def _described(self, where: str) -> DeployedSystem:
        if self.settings["target"] == "local":
            raise SettingError(
                f"resources is {where!r}, but the target is local: an existing system is on aws "
                f"or on a running emulator ({self.settings.option('target')}=aws or =http://127.0.0.1:PORT)"
            )
        if where.startswith("ssm:"):
            target = self._existing_target()
            found = ResourceMap.from_ssm(where.removeprefix("ssm:"), target)
        else:
            found = of_file(self.project / where)
            target = self._existing_target(found.region)
        if target.region != found.region:
            raise SettingError(
                f"{found.origin} describes a system in {found.region}, but the region is {target.region} "
                f"({self.settings.origin('region')}); "
                f"set it with {self.settings.option('region')}={found.region}"
            )
        return DeployedSystem("", target, {}, described=found)

    def _kept(self, which: str) -> DeployedSystem:
        record = kept.find(self.state_dir, which, self.settings.origin("reuse"))
        self._record = record
        if self.settings.origin("iam") != "default":
            self.say(
                f"iam is {self.settings['iam']} ({self.settings.origin('iam')}), but the emulator of "
                f"deployment {record.deployment_id} enforces roles as it did when it was started"
            )
        with interrupts.deferred():
            reused = kept.Kept(record, self._open, self.say)
            same_root = Path(record.root).resolve() == self.root.resolve()
            if self.settings["iam"] == "on" and not (self.settings["apply"] and same_root):
                reused.check_permissions()
            if not same_root:
                return reused.system()  # of another root: there is nothing to compare it with
            if not self.settings["apply"]:
                reused.synchronise()
                return reused.system()
            with reused.alone("--harness-apply"):
                self._applied = self._configured(recorded_toolchain(record), reused.target, record)
                return self._applied.update()
