"""One ephemeral deployment of a Terraform configuration: init, apply, outputs, destroy."""

import itertools
import json
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from event_harness.aws import code_bucket
from event_harness.aws.targets import Target
from event_harness.deployments import readiness, sync
from event_harness.deployments.deployed import remarks, system_of
from event_harness.deployments.destroy import Destroyer
from event_harness.deployments.permission_check import check_permissions
from event_harness.deployments.record import STATES, DeploymentRecord
from event_harness.deployments.terraform_calls import COMMON, CONVENTIONS, TerraformCalls
from event_harness.errors import ConfigurationError, DestroyError, SettingError
from event_harness.machine.boundary import explained
from event_harness.machine.cache import cache_directory
from event_harness.machine.clock import monotonic
from event_harness.machine.interrupts import deferred
from event_harness.machine.progress import Progress
from event_harness.machine.spans import span
from event_harness.system.deployed_system import OUTPUT, DeployedSystem
from event_harness.terraform import code_overrides, sources, terraform_directory, view
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.fetched import own_copies
from event_harness.terraform.spares import Spares
from event_harness.terraform.toolchain import Toolchain


class Deployment:
    """An ephemeral copy of a configuration with a state of its own; a context manager.

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
        answering: waits for an emulator that still starts, and returns the target; None if there is none.
        retry: regular expressions of terraform errors after which a command continues, besides our own.
        workspace: the Terraform workspace on an emulator that is the deployment's own. Elsewhere several
            deployments meet, and the workspace has the deployment's id as its name.
        check_permissions: check after apply that the system has the permissions that AWS would ask for.
        shortcuts: the short cuts that may be taken: on, off, or some names.

    Raises:
        ConfigurationError: the configuration can't be read, or declares no such variable.
    """

    @explained()
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
        answering: Callable[[], Target | None] = lambda: None,
        retry: Iterable[str] = (),
        workspace: str = "default",
        check_permissions: bool = False,
        shortcuts: str = "on",
    ) -> None:
        self.root = root
        self.record = record
        self.calls = TerraformCalls(
            record,
            target,
            toolchain,
            say=say,
            timeout=timeout,
            interrupted=interrupted,
            check_target=check_target,
            answering=answering,
            retry=retry,
            shortcuts=shortcuts,
        )
        self.destroyer = Destroyer(self.calls)
        self.variables = dict(variables or {})
        self.var_files = tuple(var_files)
        self.region_origin = region_origin
        self.project = project
        self.exclude, self.include = tuple(exclude), tuple(include)
        self.workspace = workspace
        self.check_permissions = check_permissions
        self.declared = Configuration.read(root, tofu=self.calls.tofu)
        unknown = sorted(set(self.variables) - set(self.declared.variables))
        if unknown and not self.declared.broken:
            there = ", ".join(self.declared.variables) or "none"
            raise ConfigurationError(
                f"{root} declares no variable {unknown[0]!r} (--harness-var); it has: {there}"
            )

    @property
    def target(self) -> Target:
        """Where it is deployed: in the region that its configuration names, if it names one."""
        return self.calls.target

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
            self.calls.say(str(destroy_error))
            error.add_note(str(destroy_error))

    @explained()
    @deferred()
    def apply(self) -> DeployedSystem:
        """Copy, init, apply. If a step fails or is interrupted, what was created is destroyed first.

        Raises:
            ConfigurationError: the configuration can't be read.
            DeploymentError: init or apply failed; the message holds terraform's own.
            MissingPermissionError: the system lacks a permission.
            SettingError: the configuration names another region than the target's.
        """
        began = monotonic()
        try:
            self.record.at("init")
            self.prepare()
            steps = "copied and initialised" if self.calls.initialisation.ran else "copied, no init needed"
            self.calls.say(f"set up in {span(monotonic() - began)}: {steps}")
            self.calls.say(f"applying deployment {self.record.deployment_id} to {self.target.name}")
            self._apply()
            return self._checked()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise

    @explained()
    @deferred()
    def update(self) -> DeployedSystem:
        """Apply the difference between a kept deployment and its project.

        If a step fails or is interrupted, the deployment stays, as far as it has got.

        Raises:
            ConfigurationError: the configuration can't be read.
            DeploymentError: init or apply failed; the message holds terraform's own.
            MissingPermissionError: the system lacks a permission.
            SettingError: the configuration names another region than the target's.
        """
        try:
            self.prepare()
            self.calls.say(f"applying what has changed to deployment {self.record.deployment_id}")
            self._apply()
        finally:
            self.record.at("applied")
        return self._checked()

    def _checked(self) -> DeployedSystem:
        """The deployed system, after a look at its permissions."""
        system = self.system()
        if self.check_permissions:
            check_permissions(self.record, self.target, self.calls.say)
        elif self.record.lacks:  # applied without the check, as the user wishes
            self.record.lacks = []
            self.record.save()
        for line in remarks(system):
            self.calls.say(line)
        return system

    def _apply(self) -> None:
        self.record.at("apply")
        readiness.forget(self.record.directory)
        progress = Progress(self.calls.say, "apply")
        flags = [*self.calls.flags(), *self.calls.variable_flags()]
        try:
            self.calls.terraform(progress=progress).execute_command("apply", *flags)
        finally:
            self.calls.fetch_state()
        self.record.at("applied")
        self.destroyer.knows_all = True
        sources.record(self._view, self.record.sources)
        sync.record(self._view, self.record)

    def prepare(self) -> None:
        """Make the deployment's view of the project, and init it.

        A view that is there already gives way, with its state, to the new one.
        """
        before = self.record.configuration_dir if self.record.configuration else None
        if not before and self.record.own_emulator and not self.record.remote_state:
            self.record.workspace = self.workspace
        self._view = view.make(
            self.root,
            self._place_of_view(),
            project=self.project,
            never=[self.record.directory.parent.parent, self.record.directory.parent],
            exclude=self.exclude,
            include=self.include,
            tofu=self.calls.tofu,
            complete=False,
            spares=Spares(cache_directory() / "spares", self.record.spares),
        )
        terraform_directory.make(self._view, self.calls.data_dir)
        toolchain = self.calls.toolchain
        if before and not self.record.remote_state and (before / STATES).exists():
            shutil.copytree(before / STATES, self._view.root / STATES)
        self.record.configuration = str(self._view.root.relative_to(self.record.directory.resolve()))
        given = {k: v for k, v in CONVENTIONS.items() if k in self.declared.variables}
        self.record.variables = given | self.variables
        self.record.var_files = self._copy_variable_files()
        self.record.terraform, self.record.providers = str(toolchain.binary), toolchain.providers
        self.record.providers_why = toolchain.why
        self.record.save()
        self.calls.publish_record()
        for view_of_old in self._views():
            if not self._view.root.is_relative_to(view_of_old):
                shutil.rmtree(view_of_old, ignore_errors=True)
        with self._view.completing():  # init reads no more than the configuration's own directories
            self.calls.initialise()
        self.calls.await_target()
        fetched = own_copies(self.calls.data_dir, self._view.root)
        self._view.protect(Configuration.read(module) for module in fetched)
        self.calls.say(f"{toolchain.kind} {toolchain.version} uses {self.calls.provider}")
        for runtimes in self.calls.runtimes:
            if line := runtimes.prepare():
                self.calls.say(line)
        if self.calls.shortcuts.code and code_bucket.is_known_to(self.target):
            directory, data_dir = self.record.configuration_dir, self.calls.data_dir
            code_overrides.write(directory, data_dir, code_bucket.BUCKET, tofu=self.calls.tofu)
        self.calls.record_providers(self.region_origin)
        self.calls.publish_record()

    def _place_of_view(self) -> Path:
        """A directory that isn't there: the view of the last apply holds the state until the new one does.

        An update that was killed leaves two views.
        """
        taken = self._views()
        names = itertools.chain(("config",), (f"config-{number}" for number in itertools.count(2)))
        return next(place for name in names if (place := self.record.directory.resolve() / name) not in taken)

    def _views(self) -> list[Path]:
        """The views that there are."""
        return list(self.record.directory.resolve().glob("config*"))

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

    def system(self) -> DeployedSystem:
        """Read the outputs of what is deployed.

        Raises:
            SettingError: it is in another region than the target.
        """
        declared = OUTPUT in self.declared.outputs
        return system_of(self.record, self.target, self.calls.outputs(), declared)

    def versions(self) -> dict[str, str]:
        """The versions of terraform (or tofu) and of hashicorp/aws."""
        tools = self.calls.toolchain
        return {tools.kind: str(tools.version), "hashicorp/aws": self.calls.provider.version or "not known"}

    def drift(self) -> list[str]:
        """What a plan after apply would change, one line a resource; empty if all is as declared."""
        plan = self.record.directory / "drift.plan"
        terraform = self.calls.terraform()
        flags = [*COMMON, "-detailed-exitcode", f"-out={plan}", *self.calls.variable_flags()]
        done = terraform.execute_command("plan", *flags)
        if done.retcode == 0:
            return []
        changes = json.loads(terraform.execute_command("show", "-json", str(plan)).out)["resource_changes"]
        changed = [c for c in changes if c["change"]["actions"] not in (["no-op"], ["read"])]
        return [f"{c['address']}: {'/'.join(c['change']['actions'])}" for c in changed] or ["outputs"]

    @explained()
    def destroy(self) -> None:
        """Destroy everything, check that the state is empty, and delete the deployment's directory.

        It may be called again. It answers the first Ctrl-C with a line and goes on.

        Raises:
            DestroyError: it failed; the state is kept, and the message says how to finish.
        """
        self.destroyer.destroy()
