"""One ephemeral deployment of a Terraform configuration: init, apply, outputs, destroy."""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.ownership import PROCESS_MARK
from event_harness.aws.targets import Target
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import (
    ConfigurationError,
    DeploymentError,
    DestroyError,
    EmulatorGoneError,
    HarnessError,
    SettingError,
    StateError,
)
from event_harness.machine import temporary
from event_harness.machine.interrupts import deferred, shielded
from event_harness.machine.progress import Progress, harmless
from event_harness.orphans.by_tag import remove_all
from event_harness.orphans.removal import empty_bucket
from event_harness.system.deployed_system import OUTPUT, DeployedSystem
from event_harness.terraform import emptied, provider_in_use, sources, state_file, view
from event_harness.terraform.command import Terraform
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.fetched import own_copies
from event_harness.terraform.overrides import provider_settings, write_override
from event_harness.terraform.provider_in_use import ProviderInUse
from event_harness.terraform.recovery import Failure, Transient
from event_harness.terraform.runtimes import RuntimeSubstitution
from event_harness.terraform.toolchain import Toolchain

# Inputs that the harness sets wherever a configuration declares them.
GATE = "deploy_test_resources"
CONVENTIONS: Mapping[str, Any] = {GATE: True, "ephemeral": True}

# What a person has set for terraform at the command line, and what would lead it elsewhere. All else reaches
# it: TF_VAR_*, TF_TOKEN_*, TF_REGISTRY_* and so on.
_NOT_FOR_TERRAFORM = ("TF_CLI_ARGS", "TF_DATA_DIR", "TF_LOG", "TF_WORKSPACE", "TF_INPUT", "TF_REATTACH")

_COMMON = ("-no-color", "-input=false")


class Deployment:
    """An ephemeral copy of a configuration in a workspace of its own; a context manager.

    Args:
        root: the Terraform root.
        target: where to deploy.
        toolchain: the binary and the providers.
        record: the record to use, from `DeploymentRecord.create`.
        variables: input variables, besides those that the harness sets by convention
            (`deploy_test_resources`, `ephemeral`).
        say: prints a line of progress.
        var_files: files of variables for `-var-file`, which count before `variables`.
        region_origin: where the user has set the target's region; empty if the configuration may choose it.
        project: the top of the project where no repository tells it; what lies below is copied.
        exclude: patterns of names or paths below the project's top to leave out of the copy.
        include: the same for what is copied although it would be left out or linked.
        timeout: seconds that one terraform command may take.
        interrupted: once it is set, init or apply ends as by Ctrl-C; destroy doesn't heed it.
        check_target: raises EmulatorGoneError if the emulator has ended. Then nothing is left to destroy.
        retry: regular expressions of terraform errors after which a command continues, besides our own.

    Raises:
        ConfigurationError: the configuration can't be read, or declares no such variable.
    """

    def __init__(
        self,
        root: Path,
        target: Target,
        toolchain: Toolchain,
        record: DeploymentRecord,
        *,
        variables: Mapping[str, Any] | None = None,
        say: Callable[[str], None] | None = None,
        var_files: Iterable[Path] = (),
        region_origin: str = "",
        project: Path | None = None,
        exclude: Iterable[str] = (),
        include: Iterable[str] = (),
        timeout: float = 1800.0,
        interrupted: threading.Event | None = None,
        check_target: Callable[[], None] = lambda: None,
        retry: Iterable[str] = (),
    ) -> None:
        self.root = root
        self.target = target
        self.toolchain = toolchain
        self.record = record
        self.variables = dict(variables or {})
        self.say = harmless(say)
        self.var_files = tuple(var_files)
        self.region_origin = region_origin
        self.usable = True
        self.project = project
        self.exclude, self.include = tuple(exclude), tuple(include)
        self.timeout = timeout
        self.interrupted = interrupted
        self.check_target = check_target
        self.retry = tuple(retry)
        self.declared = Configuration.read(root, tofu=self._tofu)
        unknown = sorted(set(self.variables) - set(self.declared.variables))
        if unknown and not self.declared.broken:
            there = ", ".join(self.declared.variables) or "none"
            raise ConfigurationError(
                f"{root} declares no variable {unknown[0]!r} (--harness-var); it has: {there}"
            )

    def __enter__(self) -> DeployedSystem:
        return self.apply()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.destroy()
        except DestroyError as destroy_error:
            if error is None:
                raise
            # The first error is the one to be seen; this one must be seen too.
            self.say(str(destroy_error))
            error.add_note(str(destroy_error))

    @deferred()
    def apply(self) -> DeployedSystem:
        """Copy, init, apply. If a step fails or is interrupted, what was created is destroyed first.

        Raises:
            ConfigurationError: the configuration can't be read.
            DeploymentError: init or apply failed; the message holds terraform's own.
            SettingError: the configuration names another region than the target's.
        """
        try:
            self.prepare()
            self.record.at("apply")
            self.say(f"applying deployment {self.record.deployment_id} to {self.target.name}")
            progress = Progress(self.say, "apply")
            flags = ["-auto-approve", *_COMMON, *self._variable_flags()]
            self._terraform(progress=progress).execute_command("apply", *flags)
            self.record.at("applied")
            sources.record(self._view, self.record.sources)
            return self.system()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise

    def prepare(self) -> None:
        """Make the deployment's view of the project, init it and select its workspace."""
        self._view = view.make(
            self.root,
            self.record.directory / "config",
            project=self.project,
            never=[self.record.directory.parent.parent, self.record.directory.parent],
            exclude=self.exclude,
            include=self.include,
            tofu=self._tofu,
        )
        self.record.configuration = str(self._view.root.relative_to(self.record.directory.resolve()))
        given = {k: v for k, v in CONVENTIONS.items() if k in self.declared.variables}
        self.record.variables = given | self.variables
        self.record.var_files = self._copy_variable_files()
        self.record.terraform, self.record.providers = str(self.toolchain.binary), self.toolchain.providers
        self.record.at("init")
        self.write_override()
        self.initialise()
        if self._may_write_anywhere():
            self._view.copy_linked()
        self.say(f"{self.toolchain.kind} {self.toolchain.version} uses {self._provider}")
        for runtimes in self._runtimes:
            if line := runtimes.prepare():
                self.say(line)
        self._record_providers()

    def _copy_variable_files(self) -> list[str]:
        """Copy the files of variables, since a destroy needs them, too; returns the names of the copies."""
        names = []
        for number, file in enumerate(self.var_files):
            names.append(f"{number}-{file.name}")
            try:
                shutil.copyfile(file, self.record.directory / names[-1])
            except OSError as error:
                raise SettingError(f"{file} can't be read: {error.strerror} (harness_var_file)") from error
        return names

    def _variable_flags(self) -> list[str]:
        """The variables as Terraform's command line takes them; the last one counts."""
        texts = _texts(self.record.variables)
        conventions = {
            name for name, value in CONVENTIONS.items() if self.record.variables.get(name) is value
        }
        first = [f"-var={name}={texts[name]}" for name in sorted(conventions)]
        files = [f"-var-file={self.record.directory.resolve() / name}" for name in self.record.var_files]
        return [*first, *files, *(f"-var={name}={texts[name]}" for name in texts if name not in conventions)]

    def _record_providers(self) -> None:
        """Record the provider blocks with their values, and work in the region that they name.

        Raises:
            SettingError: the user has set another region.
        """
        found = emptied.expressions(Configuration.read(self.record.configuration_dir, tofu=self._tofu))
        question = emptied.to_evaluate(found)
        self.record.provider_blocks = emptied.evaluated(found, self._console(question) if question else "")
        region = next((b.get("region") for b in self.record.provider_blocks if "alias" not in b), None)
        if region and region != self.target.region:
            if self.region_origin:
                raise SettingError(
                    f"region is {self.target.region} ({self.region_origin}), but the configuration deploys "
                    f"to {region}: leave the setting out, or set it to {region}"
                )
            self.say(f"the configuration deploys to {region}")
            self.target = dataclasses.replace(self.target, region=str(region), _clients={})
            self.record.region = str(region)
        self.record.save()

    def _console(self, expression: str) -> str:
        """What `terraform console` answers to a line; empty if it fails."""
        terraform = self._terraform()
        try:
            done = subprocess.run(
                [str(self.toolchain.binary), "console", *self._variable_flags()],
                cwd=self.record.configuration_dir,
                env=terraform.env,
                input=expression,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=120,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip()

    def _explain(self, failure: Failure) -> str:
        return _left_out(failure) + self._provider.explain(failure)

    def _may_write_anywhere(self) -> bool:
        """Whether a module that init has fetched runs a program."""
        fetched = own_copies(self._data_dir)
        return any(view.may_write_anywhere(Configuration.read(module)) for module in fetched)

    def initialise(self) -> None:
        """Init the deployment's view and select its workspace. It may be called again."""
        with self.toolchain.installing():
            self._terraform(internet=True).init(color=False)
        self._terraform().workspace(self.record.deployment_id)

    def write_override(self) -> None:
        """Write the override files into the deployment's view. It may be called again."""
        write_override(
            self.record.configuration_dir,
            endpoint_url=self.target.endpoint_url,
            old_provider=self.toolchain.old_provider,
            tags=self.record.tags,
            tofu=self._tofu,
        )

    def system(self) -> DeployedSystem:
        """Read the outputs of what is deployed.

        Raises:
            SettingError: it is in another region than the target.
        """
        text = self._terraform().execute_command("output", "-no-color", "-json").out
        outputs = {name: value["value"] for name, value in json.loads(text).items()}
        system = DeployedSystem(
            self.record.deployment_id, self.target, outputs, OUTPUT in self.declared.outputs
        )
        system.check_region()
        return system

    def drift(self) -> list[str]:
        """What a plan after apply would change, one line a resource; empty if all is as declared."""
        plan = self.record.directory / "drift.plan"
        terraform = self._terraform()
        flags = [*_COMMON, "-detailed-exitcode", f"-out={plan}", *self._variable_flags()]
        done = terraform.execute_command("plan", *flags)
        if done.retcode == 0:
            return []
        changes = json.loads(terraform.execute_command("show", "-json", str(plan)).out)["resource_changes"]
        changed = [c for c in changes if c["change"]["actions"] not in (["no-op"], ["read"])]
        return [f"{c['address']}: {'/'.join(c['change']['actions'])}" for c in changed] or ["outputs"]

    @deferred()
    def destroy(self) -> None:
        """Destroy everything, check that the state is empty, and delete the deployment's directory.

        It may be called again. It answers the first Ctrl-C with a line and goes on.

        Raises:
            DestroyError: it failed; the state is kept, and the message says how to finish.
        """
        if self.record.stage == "destroyed" or not self.record.is_ours():
            return
        failed = self.record.stage in ("init", "apply")
        try:
            with shielded(self.say, f"destroying deployment {self.record.deployment_id}"):
                self.check_target()
                self._destroy()
        except EmulatorGoneError as error:
            self.say(f"{error}: nothing of deployment {self.record.deployment_id} is left")
        except KeyboardInterrupt as error:
            raise self._unfinished("interrupted") from error
        self.record.delete(keep_logs=failed)

    def _destroy(self) -> None:
        doubtful = self.record.stage == "apply"  # killed, terraform may have made what it didn't write down
        readable = True
        try:
            self.destroy_by_state()
        except StateError as error:
            self.say(f"{error}: destroying deployment {self.record.deployment_id} by its tags")
            readable = False
        if doubtful or not readable:
            self._remove_unrecorded(must=not readable)

    def destroy_by_state(self) -> None:
        """Destroy what the state holds; leave everything else.

        Raises:
            StateError: the state can't be read.
            DestroyError: it failed; the state is kept, and the message says how to finish.
        """
        # An empty state holds nothing to destroy; terraform would refuse variables that made apply fail.
        if not self.record.managed_resources():
            return
        try:
            with shielded(self.say, f"destroying deployment {self.record.deployment_id}"):
                self.record.at("destroy")
                self.say(f"destroying deployment {self.record.deployment_id}")
                if self.target.endpoint_url:
                    self._empty_buckets()
                self._destroy_resources()
        except EmulatorGoneError:
            raise
        except BaseException as error:
            raise self._unfinished(str(error) or type(error).__name__) from error
        if left := self.record.managed_resources():
            raise self._unfinished(f"{len(left)} resources are left: {', '.join(left[:5])}")

    def _destroy_resources(self) -> None:
        """Run terraform destroy; where Terraform refuses the configuration, without the configuration."""
        progress = Progress(self.say, "destroy")
        flags = ["-auto-approve", *_COMMON]
        if self.usable:
            try:
                self._terraform(progress=progress).execute_command("destroy", *flags, *self._variable_flags())
                return
            except DeploymentError as error:
                if progress.planned:
                    raise
                self.say(f"{error}: destroying by the state alone")
        directory = self.record.directory / "emptied"
        state = self.record.state
        emptied.write(directory, state, state_file.providers(state), self._provider_blocks())
        with self.toolchain.installing():
            self._terraform(internet=True, directory=directory).init(color=False)
        self._terraform(progress=progress, directory=directory).execute_command("destroy", *flags)

    def _provider_blocks(self) -> list[dict[str, Any]]:
        """The provider blocks as they were at apply; on an emulator with what is needed there."""
        blocks = self.record.provider_blocks or [{"region": self.record.region}]
        if not any("alias" not in block for block in blocks):
            blocks = [{"region": self.record.region}, *blocks]
        if not self.target.endpoint_url:
            return blocks
        settings = provider_settings(self.target.endpoint_url, old_provider=self.toolchain.old_provider)
        kept = ("alias", "region")
        return [{name: value for name, value in block.items() if name in kept} | settings for block in blocks]

    def _empty_buckets(self) -> None:
        """Empty an emulator's buckets before terraform does.

        MiniStack doesn't encode the keys in a list of versions, although it is asked to. A new provider
        (5.100) decodes them. So it fails at a percent sign, and doesn't find a key with a plus sign.
        """
        for bucket in self.record.disposable_buckets():
            empty_bucket(self.target, bucket)

    def _remove_unrecorded(self, *, must: bool) -> None:
        """Remove what carries the deployment's tags or name, whatever the state says.

        Args:
            must: the state is lost, so this is the only way.
        """
        try:
            left = remove_all(self.target, self.record.deployment_id, self.say)
        except AWS_ERRORS as error:
            if must:
                raise self._unfinished(message_of(error)) from error
            # Whoever may deploy need not be allowed to list everything; terraform itself had no objection.
            self.say(
                f"deployment {self.record.deployment_id}: resources that are missing in its state can't be "
                f"looked for: {message_of(error)}"
            )
            return
        if left:
            raise self._unfinished(f"{len(left)} resources are left: {'; '.join(left[:5])}")

    def _unfinished(self, why: str) -> DestroyError:
        with contextlib.suppress(OSError):
            self.record.save()  # a sweep must find it, also if its directory was deleted
        error = DestroyError(
            f"deployment {self.record.deployment_id} is not destroyed, its state is kept in "
            f"{self.record.directory}: {why}; finish it with: {self.record.command('sweep')}"
        )
        error.reason = why
        return error

    @property
    def _tofu(self) -> bool:
        return getattr(self.toolchain, "kind", "terraform") == "tofu"

    @property
    def _data_dir(self) -> Path:
        return self.record.directory / "data"

    def _target_is_gone(self) -> bool:
        """Whether the emulator has ended. Other faults of the target may pass."""
        try:
            self.check_target()
            self.target.check()
        except EmulatorGoneError:
            return True
        except HarnessError:
            return False
        return False

    @property
    def _provider(self) -> ProviderInUse:
        return ProviderInUse(self.toolchain, self.record.configuration_dir)

    @property
    def _runtimes(self) -> tuple[RuntimeSubstitution, ...]:
        """The substitution of Lambda runtimes; none on AWS."""
        if not self.target.endpoint_url:
            return ()
        return (RuntimeSubstitution(self._provider, self.record.configuration_dir, self._data_dir),)

    def _terraform(
        self, *, internet: bool = False, progress: "Progress | None" = None, directory: Path | None = None
    ) -> Terraform:
        base = {name: text for name, text in os.environ.items() if not name.startswith(_NOT_FOR_TERRAFORM)}
        environ = self.target.environ(base, allow_internet=internet) | self.toolchain.environ()
        environ |= {
            "TF_DATA_DIR": str(directory.resolve() / "data" if directory else self._data_dir),
            "TMPDIR": str(temporary.make(self.record.temporary)),
            PROCESS_MARK: self.record.deployment_id,
        }
        if self.target.endpoint_url:
            environ |= provider_in_use.ON_EMULATOR
        return Terraform(
            directory or self.record.configuration_dir,
            binary=self.toolchain.binary,
            environ=environ,
            logs=self.record.logs,
            timeout=self.timeout,
            on_line=progress,
            interrupted=None if progress and progress.verb == "destroy" else self.interrupted,
            check=self.check_target,
            recoveries=(Transient(self.retry, self._target_is_gone), *self._runtimes),
            explain=self._explain,
            say=self.say,
        )


def _left_out(failure: Failure) -> str:
    """How to copy what terraform has missed; empty if it names nothing that a copy leaves out."""
    names = view.left_out_named(failure.error_text) if failure.command in ("init", "plan", "apply") else []
    if not names:
        return ""
    return f" ({names[0]} is left out of a deployment's copy: --harness-include={names[0]} copies it)"


def _texts(variables: Mapping[str, Any]) -> dict[str, str]:
    """Values as a command line wants them: text as it is, anything else as JSON, which Terraform reads."""
    return {name: v if isinstance(v, str) else json.dumps(v) for name, v in variables.items()}
